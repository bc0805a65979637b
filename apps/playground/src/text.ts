/** Every word that a person reads, in English. */

function bytes(value: number): string {
  const gigabytes = value / 1e9;
  return gigabytes >= 1 ? `${gigabytes.toFixed(1)} GB` : `${Math.max(0, Math.round(value / 1e6))} MB`;
}

export const text = {
  name: 'Receptance',
  close: 'Close',
  cancel: 'Cancel',
  dismiss: 'Dismiss',
  skip: 'Skip to the text',
  views: { write: 'Write', chat: 'Chat', inside: 'Look inside', train: 'Train', ideas: 'Ideas' },
  nav: { label: 'Views', benchmark: 'Benchmark' },
  theme: { light: 'Light', dark: 'Dark', auto: 'As the system', change: (now: string) => `Colours: ${now}` },
  drop: 'Drop a model, a vocabulary or a saved state',

  model: {
    button: 'Model',
    opening: 'Opening',
    none: 'No model',
    running: (name: string, backend: string) => `${name} on ${backend}`,
  },

  thread: {
    title: { write: 'Write with an RNN', chat: 'Talk to an RNN' },
    empty: {
      write: 'Give a beginning, or none. The text runs in this tab, on this machine, and nothing leaves it.',
      chat: 'Say something. The small model that comes with this page only tells stories: drop in a World model to talk.',
    },
    emptyIds:
      'This file has no vocabulary, so the model reads and writes token ids. Drop its vocabulary (.txt or tokenizer.json) to use words.',
    opening: 'Opening the model …',
    noModel: 'No model is open. Choose one above.',
    you: 'You',
    model: 'Model',
    imported: (length: string, tail: string) =>
      `Goes on from a saved state that has read ${length} tokens and ends with “…${tail}”. The text itself is not in it.`,
    tools: 'This step',
    edit: 'Edit the words and branch',
    branch: 'Branch here',
    again: 'Write this again, another way',
    export: 'Save the state to a file',
    import: 'Open a saved state',
    remove: 'Remove this step and what follows',
    previous: 'The branch before',
    next: 'The next branch',
    branchOf: (place: number, of: number) => `${place} of ${of}`,
    speed: (rate: string) => `${rate} tokens/s`,
    first: (time: string) => `first token after ${time}`,
    length: (tokens: string, state: string) => `${tokens} tokens in a state of ${state}`,
    stopped: 'stopped',
  },

  composer: {
    label: { write: 'Words to go on with', chat: 'Your message' },
    first: { write: 'Once upon a time', chat: 'Ask or tell something' },
    more: { write: 'Add words of your own, or let it go on', chat: 'Answer' },
    ids: 'Token ids, such as 12 7 42',
    send: { write: 'Write', chat: 'Send' },
    continue: 'Go on',
    stop: 'Stop',
    begin: { write: 'New text', chat: 'New chat' },
  },

  tokens: {
    label: 'What the model wrote. Arrow keys walk through its tokens and show how likely each was.',
    chosen: (probability: string) => `was written, at ${probability}`,
  },

  texts: {
    title: { write: 'Texts', chat: 'Chats' },
    empty: 'A text without words',
    keep: 'Keep in this browser',
    keepAbout: 'With their memories, for when this page is opened again. When there are many, the oldest go.',
    remove: (beginning: string) => `Remove “${beginning}”`,
    removeEverything: 'Remove all',
    sure: 'Remove all texts and chats that are kept in this browser, of every model?',
  },

  settings: {
    open: 'Texts and settings',
    title: 'How it chooses',
    drawing: 'Drawing',
    penalties: 'Penalties for repeating',
    text: 'Text',
    anySeed: 'any',
    reset: 'Reset',
    names: {
      greedy: 'Always the likeliest',
      temperature: 'Temperature',
      topP: 'Top p',
      topK: 'Top k',
      minP: 'Min p',
      presencePenalty: 'Presence',
      frequencyPenalty: 'Frequency',
      repetitionPenalty: 'Repetition',
      penaltyDecay: 'Decay of counts',
      maxTokens: 'Most tokens',
      seed: 'Seed',
      probabilities: 'Show probabilities',
    },
    about: {
      temperature: 'Below 1 the likely becomes likelier; above 1 the unlikely does. 0 takes the likeliest.',
      topP: 'Keep the likeliest tokens that together reach this probability.',
      topK: 'Keep this many of the likeliest tokens; 0 keeps all.',
      minP: 'Keep tokens at least this fraction as likely as the likeliest.',
      presencePenalty: 'Taken off the logit of every token drawn before.',
      frequencyPenalty: 'Taken off the logit of a token for every time it was drawn.',
      repetitionPenalty: 'Divides the positive logit of a token drawn before.',
      penaltyDecay: 'What the counts behind the penalties are multiplied by at each token.',
      maxTokens: 'A text ends after this many tokens at the latest.',
    },
  },

  models: {
    title: 'Models',
    bundled: 'Little stories',
    here: 'In this browser',
    architecture: 'Architecture',
    shape: (architecture: string, layers: number, width: number) =>
      `${architecture}, ${layers} layers of width ${width}`,
    vocabulary: 'Vocabulary',
    tokens: (size: number, hasTokenizer: boolean) => `${size} tokens${hasTokenizer ? '' : ', no text'}`,
    file: 'File',
    state: 'State',
    stateBytes: (size: string) => `${size}, whatever the length of the text`,
    opening: (name: string) => `Opening ${name}`,
    keep: 'Keep in this browser',
    use: 'Use',
    resume: 'Go on',
    partly: (received: string, size: string) => `${received} of ${size}`,
    vouched: 'hash as given',
    verify: (name: string) => `Check ${name}`,
    remove: (name: string) => `Delete ${name}`,
    intact: (name: string) => `${name} is as it was when it came.`,
    notIntact: (name: string) => `${name} has changed since it came. Delete it and fetch it again.`,
    room: (used: string, quota: string) => `This page uses ${used} of the ${quota} that the browser gives it.`,
    fromFile: 'From a file',
    dropHint:
      'Drop a .pth, .safetensors or .gguf anywhere, with its vocabulary (rwkv_vocab….txt or tokenizer.json) where it has none. It is read where it lies.',
    choose: 'Choose files',
    fromUrl: 'From an address',
    url: 'Address',
    sha256: 'SHA-256',
    optional: 'optional',
    download: 'Download',
    pause: 'Pause',
    transfer: (what: string, name: string) => `${name}: ${what}`,
    weights: 'Weights',
    asStored: 'as stored',
    weightsHint: 'Fewer bits take less memory and are faster, and change the text a little.',
  },

  backends: {
    title: 'Runs on',
    names: { auto: 'Choose for me', wasm: 'WebAssembly', webgpu: 'WebGPU', reference: 'Reference' },
    auto: 'by the size of the model and what this machine has',
    examining: 'being tried …',
    passed: (detail: string, time: string) => `works: ${detail}, ready in ${time}`,
    running: (name: string, adapter: string, threads: number) =>
      `Now on ${name} (${adapter}${threads > 1 ? `, ${threads} threads` : ''}).`,
    notIsolated: (cores: number) =>
      `This page runs on one thread: its server does not isolate it from other sites. After a reload, the page does so itself and uses up to ${cores}.`,
  },

  choice: {
    chosen: 'You chose it.',
    tiny: 'The model is so small that threads, or a GPU, would wait more than they compute.',
    small: 'The model is so small that a GPU would wait more than it computes.',
    noGpu: (why: string) => `There is no usable GPU here: ${why}.`,
    softwareGpu: (name: string) => `The only GPU here is software (${name}), which is slower than WebAssembly.`,
    gpu: (name: string) => `The model is large and the GPU (${name}) passed the self-test.`,
    lost: (why: string) => `The GPU is gone (${why}). The text goes on with WebAssembly.`,
  },

  inside: {
    title: 'Inside a memory',
    intro:
      'An RNN keeps no text: each layer has a memory of constant size, which every token changes and reads. Here one layer reads a text, and its memory is laid open.',
    example: 'Once upon a time there was a girl named Lily. She had a red ball. One day the ball was gone.',
    words: 'Text (its beginning is looked at)',
    layer: 'Layer',
    head: 'Head',
    look: 'Look',
    play: 'Walk through the text',
    pause: 'Pause',
    present: (t: number, length: number) => `Token ${t} of ${length}`,
    future: 'not read yet',
    tell: (now: string, past: string, value: string) => `when ${now} is read, ${past} counts ${value}`,
    implied: 'Implied attention',
    impliedHint:
      'How much each past token (left to right) still counts when a token (top to bottom) is read. It follows from decays, keys and receptances; the model itself never computes it.',
    impliedLabel: (length: number) => `How much each of ${length} tokens counts for each later one`,
    impliedCost: (numbers: string) => `carried from token to token: ${numbers} numbers`,
    softmax: 'What a transformer computes',
    softmaxHint:
      'Softmax attention with the same receptances as queries and the same keys. Every cell is computed, and all keys and values are kept.',
    softmaxLabel: (length: number) => `Softmax attention between ${length} tokens`,
    softmaxCost: (cells: string, numbers: string) => `${cells} cells computed, ${numbers} numbers kept`,
    state: 'The state',
    stateHint:
      'The memory itself after the chosen token: values by keys. All that the layer knows of the text is in it.',
    state4Hint: 'The average of values that each channel holds after the chosen token, as a square.',
    stateLabel: (token: string, size: string) => `State after ${token}: ${size}`,
    tellState: (row: number, column: number, value: string) => `row ${row + 1}, column ${column + 1}: ${value}`,
    decay: 'Decay',
    decayHint:
      'After how many tokens half of what a channel holds is gone, without being written again. Some forget at once, some hardly.',
    decayLabel: 'Half-life of the channels of each head, sorted',
    headName: (head: number) => `Head ${head}`,
    channel: 'channels, sorted',
    halfLife: 'tokens',
  },

  ideas: {
    title: 'From attention to RWKV',
    intro:
      'At every token, a language model decides how much the earlier ones count. Six models answer below, one channel of each on the same made-up text: a row is a token that is read, and along it is how much each earlier one counts. Every step takes something away, until an RNN is left. Move the sliders.',
    knobs: 'The example',
    length: 'Length of the text',
    window: 'Window',
    decay: 'Decay d',
    bonus: 'Bonus u',
    learned: 'Weights of places',
    kept: 'Kept to read on (1,024 channels)',
    numbers: (value: string) => `${value} numbers`,
    pairs: (value: string) => `none, but ${value} pairs computed`,
    none: 'none',
    perChannel: '2 numbers: d and u',
    map: (title: string, length: number) => `${title}: weights of a text of ${length} tokens`,
    tell: (t: number, i: number, value: string) => `at token ${t}, token ${i} counts ${value}`,
    members: {
      softmax: {
        title: 'Softmax attention',
        formula: 'y[t] = Σ softmax( q[t] · k[i] ) v[i]',
        about:
          'Each token asks every earlier one how well its key fits the query. All keys and values have to be kept, and token number one million looks at a million of them.',
      },
      full: {
        title: 'AFT-full: no queries in the sum',
        formula: 'y[t] = σ(q[t]) ⊙ Σ e^(w[t,i] + k[i]) v[i]\n                / Σ e^(w[t,i] + k[i])',
        about:
          'The attention-free transformer drops the dot product. How much a place counts for another is learned once, as w; the query only gates what comes out. No heads, no pairs of vectors, but a w for every pair of places.',
      },
      local: {
        title: 'AFT-local: a window',
        formula: 'w[t,i] = 0   where  t − i ≥ s',
        about: 'Only near places get weights of their own. Far tokens still count, all alike, by their keys.',
      },
      conv: {
        title: 'AFT-conv: only the distance counts',
        formula: 'w[t,i] = f[t − i]',
        about:
          'The weights are the same wherever one is in the text: a convolution over tokens. From T × T numbers, a row of them is left.',
      },
      simple: {
        title: 'AFT-simple: no places at all',
        formula: 'w[t,i] = 0',
        about:
          'Without place weights the two sums can be carried from token to token. That is an RNN with a memory of two numbers a channel, but one that never forgets: the past grows heavier and heavier.',
      },
      rwkv4: {
        title: 'RWKV-4: a decay that is learned',
        formula: 'w[t,i] = −(t − 1 − i) d,   u for i = t',
        about:
          'One decay per channel: the weight of the past shrinks by e^−d with every token, so the sums can still be carried. Some channels forget at once, others hardly ever. The bonus u lets the present token count in its own way, and the receptance σ(r) decides what of it all comes out.',
      },
    },
    four: 'One function, four ways to compute it',
    fourAbout:
      'Because the decay is an exponential, the last picture can be computed as a transformer, as an RNN, as a convolution, or in chunks. The numbers are the same; that is why RWKV trains in parallel and runs with a memory of constant size. These are the outputs for the text above, now.',
    form: 'Form',
    work: 'Work for T tokens',
    last: 'Output at the last token',
    difference: 'Largest difference',
    forms: {
      parallel: { name: 'Parallel, as a transformer', work: 'T²' },
      recurrent: { name: 'Recurrent, as an RNN', work: 'T, memory constant' },
      convolution: { name: 'Convolution over tokens', work: 'T², or T log T' },
      chunked: { name: 'Chunks of 16', work: '16 T' },
    },
    heads: (size: number, numbers: string) =>
      `From RWKV-5 on, the memory of ${size} channels is a matrix of ${size} × ${size} = ${numbers} numbers: as many as a cache of ${size / 2} tokens would hold, for a text of any length.`,
    after: {
      title: 'And then',
      paragraphs: [
        'RWKV-5 makes the memory a matrix: keys and values meet as outer products, and a receptance reads along one side. RWKV-6 lets each token choose how fast the memory decays. RWKV-7 also lets it erase: before a value is written under a key, what was there can be taken away, which is learning at the time of reading.',
        'Each of these is still attention in disguise: how much token i counts at token t can be worked out from the decays, keys and receptances in between.',
      ],
      link: 'Look at it in a real model, on your own text',
    },
  },

  train: {
    title: 'Train in this tab',
    intro:
      'Gradients are computed here, too: a small model learns a text from nothing, or the open model learns it further. Paste a text or drop a file; it stays on this machine.',
    text: 'Text to learn',
    example:
      'The wind went round the little house and asked to be let in. The door said no. The window said no. The chimney said come in, and the wind came in and put out the fire. Then it was cold in the little house, and the wind was sorry, and went out to look for the sun. The sun was behind the hill. The wind asked it to come, and it came, and stood at the window of the little house, and it was warm again. ',
    file: 'Open a text file',
    what: 'What learns',
    kinds: {
      new: 'A new small model, from nothing',
      state: 'The open model: only the state that texts begin with',
      full: 'The open model: all its weights',
    },
    layers: 'Layers',
    width: 'Width',
    steps: 'Steps',
    start: 'Train',
    pause: 'Pause',
    goOn: 'Go on',
    again: 'Begin anew',
    download: 'Download the checkpoint',
    use: 'Write with it',
    name: 'trained.safetensors',
    preparing: 'Preparing a step …',
    status: (step: string, steps: string, loss: string, rate: string) =>
      `Step ${step} of ${steps} · loss ${loss} · ${rate} tokens/s`,
    loss: 'loss in nats per token',
    step: 'step',
    chart: 'Loss against steps',
    size: (bytes: string) => `${bytes} of text`,
    short: 'The text is too short to learn from: give at least a few sentences.',
  },

  contexts: {
    title: 'What a token costs, the longer the text is',
    hint: 'Measured now, on this machine: the open model, and a transformer of as many layers and channels with a cache of keys and values, of random weights, on WebAssembly.',
    measure: 'Measure',
    stop: 'Stop',
    progress: (done: number, of: number) => `length ${Math.min(done + 1, of)} of ${of} …`,
    rwkv: 'RWKV',
    transformer: 'Transformer',
    position: 'position in the text',
    time: 'Time of a token',
    memory: 'Memory of a text',
    timeLabel: 'Milliseconds of a token against its position',
    memoryLabel: 'Bytes of a text against its length',
  },

  errors: {
    noTraining: 'nothing is being trained',
    noTrainingHint: 'begin a training first',
    noTokenizer: 'no vocabulary is known for this model, so a text cannot be learned',
    noTokenizerHint: 'drop the model together with its vocabulary',
    noModel: 'no model is open',
    noModelHint: 'open one first',
    notKept: (why: string) => `the text could not be kept in this browser: ${why}`,
    notKeptHint: 'it is here until the page is closed; remove texts or models to make room',
    noState: 'the memory of this branch is no longer kept',
    noStateHint: 'write it again from an earlier step',
    bundled: (status: number) => `the model of this page was not sent (${status})`,
    bundledHint: 'reload the page',
    idsWanted: 'This model has no vocabulary: write token ids, numbers with spaces between.',
    vocabularyFor: 'A vocabulary goes with a model file: drop both together.',
    vocabularySize: (name: string) => `${name} is too large for a vocabulary`,
    vocabularyHint: 'give rwkv_vocab….txt or tokenizer.json',
    incomplete: (name: string) => `${name} has not come completely`,
    notStored: 'this model is not in this browser any more',
    notStoredHint: 'download it again, or go on with the download',
    damaged: (name: string, got: string, wanted: string) =>
      `${name} did not come as it should: its SHA-256 is ${got}, not ${wanted}`,
    damagedHint: 'it was deleted: check the address and the hash, and download it again',
    badAddress: (url: string) => `“${url}” is no address of a file`,
    badAddressHint: 'give one that begins with https://',
    noRoom: (free: number, quota: number, wanted: number | undefined) =>
      `${wanted === undefined ? 'The model does' : `${bytes(wanted)} do`} not fit: of the ${bytes(quota)} that the browser gives this page, ${bytes(free)} are free`,
    noRoomHint:
      'delete models below, free space on the disk, or drop the file from your disk instead: it is read there and takes no room',
    cutShort: (name: string, got: number, total: number) => `${name} ended after ${got} of ${total} bytes`,
    cutShortHint: 'go on with the download from where it is',
    refused: (name: string, status: number) => `the server of ${name} answers ${status}`,
    refusedHint: 'check the address; a file that needs a login has to be downloaded and dropped here',
    unreadable: (name: string, why: string) => `${name} could not be read: ${why}`,
    unreadableHint:
      'check the connection; a server must allow other sites (CORS), else download the file and drop it here',
  },
} as const;
