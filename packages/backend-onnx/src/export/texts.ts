import { RUNTIME_VERSION } from '../worker/client.ts';

/** Runs an exported folder; short, to be read by people. */
export const RUN_PY = `"""Continues a text of token ids: python run.py 65 66 67 --count 16 --temperature 0"""
import argparse, hashlib, pathlib, sys
import numpy as np, onnxruntime as ort

parser = argparse.ArgumentParser()
parser.add_argument("ids", type=int, nargs="+", help="tokens of the text so far")
parser.add_argument("--count", type=int, default=16, help="tokens to add")
parser.add_argument("--temperature", type=float, default=0, help="0 takes the likeliest token")
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
folder = pathlib.Path(__file__).parent
sums = (folder / "SHA256SUMS").read_text().splitlines()
for name in "initial.onnx", "model.onnx", "decode.onnx", "weights.bin":
    with open(folder / name, "rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() + "  " + name not in sums:
            sys.exit(f"{name} is not what was exported: it is damaged, or of another export")

def run(name, given):  # takes from \`given\` what the model wants; a state that comes out as "x.next" goes in as "x"
    session = ort.InferenceSession(str(folder / f"{name}.onnx"))
    names = [output.name for output in session.get_outputs()]
    made = session.run(names, {i.name: given[i.name] for i in session.get_inputs()})
    return {name.removesuffix(".next"): value for name, value in zip(names, made)}

state = run("initial", {"S": np.array([1], np.int64)})
*read, last = args.ids  # decode reads the last token itself
if read:
    state |= run("model", {**state, "tokens": np.array(read, np.int32), "rows": np.array([len(read) - 1], np.int32)})
# temperature, topK, topP, minP, presencePenalty, frequencyPenalty, repetitionPenalty, penaltyDecay
settings = np.array([[args.temperature, 0, 1, 0, 0, 0, 1, 1]], np.float32)
u = np.random.default_rng(args.seed).random((args.count, 1), np.float32)
one = {"tokens": np.array([last], np.int32), "rows": np.array([0], np.int32)}
made = run("decode", {**state, **one, "settings": settings, "u": u, "steps": np.array(args.count)})
print(*made["next"].ravel())
`;

export interface ReadmeFacts {
  readonly architecture: string;
  readonly layers: number;
  readonly width: number;
  readonly vocabularySize: number;
  /** Of the ops that there are. */
  readonly domains: readonly string[];
  readonly opset: number;
  /** Types in which weights are stored. */
  readonly types: readonly string[];
}

export function readme({ architecture, layers, width, vocabularySize, domains, opset, types }: ReadmeFacts): string {
  const ops = domains.includes('com.microsoft')
    ? `ops of the ONNX standard and of ONNX Runtime (\`com.microsoft\`, as version ${RUNTIME_VERSION} has them)`
    : 'ops of the ONNX standard alone';
  return `# ${architecture}, ${layers} layers of width ${width}, ${vocabularySize} tokens

Written by Receptance: opset ${opset}, ${ops}; weights in ${types.join(', ')}. All arithmetic is f32.

\`\`\`sh
pip install numpy onnxruntime
python run.py 65 66 67 --count 16    # token ids in, token ids out
\`\`\`

| file | takes | gives |
|---|---|---|
| \`initial.onnx\` | \`S\` int64[1]: how many texts | the states that texts begin with |
| \`model.onnx\` | \`tokens\` int32[N], text after text, equally many of each; \`rows\` int32[R]; states | \`logits\` f32[R,${vocabularySize}] after the tokens that \`rows\` names; states |
| \`decode.onnx\` | \`tokens\` int32[S], the last of each text; \`rows\` 0 to S − 1; \`steps\`; \`settings\`, \`u\`; states | \`next\` int32[steps,S]; states |
| \`weights.bin\` | | the weights of all three, each at a multiple of 4096 bytes |
| \`SHA256SUMS\` | | of all other files: \`sha256sum --check SHA256SUMS\`; \`run.py\` looks at those that it runs |

- A **state** is a tensor [S, …] of constant size that carries a text: \`x.next\` comes out, and goes in as \`x\`. Reading is a matter of
  calls: token by token, or all at once, gives the same states.
- \`decode.onnx\` makes as many tokens in one call as \`steps\` says. \`settings\` f32[S,8] has the columns temperature (0 takes the likeliest),
  topK, topP, minP, presencePenalty, frequencyPenalty, repetitionPenalty, penaltyDecay; \`u\` f32[steps,S] are uniform random numbers.
- Every text needs at least one token in a call.
- Nodes are named by their place in the model, as \`blocks/0/…/wkv7/Scan\`.
`;
}
