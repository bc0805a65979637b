import { type Command, columns, command } from '../command.ts';
import { checkResume, options, readBegun } from '../training/options.ts';
import { duration } from '../training/pace.ts';
import { begunIn, type Outcome, openFolder, refuseBegun, refuseModelIn, trainIn } from '../training/run.ts';

export const train: Command = command({
  name: 'train',
  summary: 'Trains a model: from nothing, further, by adapters (LoRA), or its initial state.',
  usage: '--out FOLDER (--data PATH [--model FILE] [options] | --resume)',
  options,
  notes: [
    'In FOLDER:',
    [
      ['model.safetensors', 'the model so far, under official names: for every other command, and other runtimes'],
      ['loss.html', 'the loss as a picture: open it in a browser; it is drawn anew every few seconds'],
      ['log.jsonl', 'a line for each step and each look at the held-out text'],
      ['training.safetensors', 'weights and optimiser, for --resume: it ends with the same bits as without a stop'],
    ],
  ],
  examples: [
    ['train --data book.txt --out run', 'an RWKV-7 of 4 layers and width 128 on bytes; Ctrl-C saves and stops'],
    ['train --out run --resume', 'goes on where it stopped, were it by kill -9'],
    ['train --data texts --out run --layers 6 --width 256 --steps 5000 --schedule wsd', 'a larger one, on a folder'],
    ['train --data chat.jsonl --model model.pth --tokenizer vocabulary.txt --lora 16 --out tuned', 'adapters, merged'],
    ['train --data style.txt --state --rate 0.1 --model model.pth --tokenizer vocabulary.txt --out tuned', 'a state'],
    ['generate --model run/model.safetensors --prompt "Once"', 'what it has learned'],
  ],
  async run(values, terminal) {
    const path = values.required('out');
    const resumes = values.flag('resume');
    if (resumes) checkResume(values);
    const begun = resumes ? await begunIn(path) : readBegun(values);
    const folder = await openFolder(path);
    await refuseModelIn(folder, begun);
    if (!resumes && !values.flag('force')) await refuseBegun(folder);
    const outcome = await trainIn(folder, begun, { resumes, terminal });
    if (terminal.json) terminal.writeJson({ out: path, ...outcome });
    else terminal.write(describe(outcome));
    return terminal.interrupted ? 130 : 0;
  },
});

function describe({ step, steps, loss, heldOut, model, seconds }: Outcome): string {
  const rows = [
    ['steps', step === steps ? `${step}` : `${step} of ${steps}: --resume goes on`],
    ...(loss === undefined ? [] : [['loss', `${loss.toFixed(4)} nats per token`]]),
    ...(heldOut === undefined ? [] : [['held out', `${heldOut.toFixed(4)} nats per token`]]),
    ['model', model],
    ['time', duration(seconds)],
  ];
  return `${columns(rows).join('\n')}\n`;
}
