import { at, axisSize, forEachSequence, type KernelOf, type Numbers } from '../tensor.ts';

export const wkv4Grad: KernelOf<'wkv4Grad'> = {
  run({ w, u, k, v, aa0, bb0, pp0, starts, gy, gaa, gbb, gpp }, { gw, gu, gk, gv, gaa0, gbb0, gpp0 }) {
    const width = axisSize(k, 1);
    forEachSequence(starts, undefined, (row, begin, end) => {
      for (let c = 0; c < width; c++) {
        const place = row * width + c;
        const [wc, uc] = [at(w.data, c), at(u.data, c)];
        const initial = { a: at(aa0.data, place), b: at(bb0.data, place), p: at(pp0.data, place) };
        const states = statesBefore(initial, k.data, v.data, wc, width, c, begin, end);
        let [ga, gb, gp] = [at(gaa.data, place), at(gbb.data, place), at(gpp.data, place)];
        for (let t = end - 1; t >= begin; t--) {
          const { a, b, p } = states[t - begin] ?? initial;
          const [kt, vt] = [at(k.data, t * width + c), at(v.data, t * width + c)];

          // State update: q = max(p + w, k); a' = e^{p+w−q} a + e^{k−q} v; b' = e^{p+w−q} b + e^{k−q}; p' = q
          const decayed = p + wc;
          const q = Math.max(decayed, kt);
          const [keep, add] = [Math.exp(decayed - q), Math.exp(kt - q)];
          const gkeep = keep * (ga * a + gb * b);
          const gadd = add * (ga * vt + gb);
          const gq = gp - gkeep - gadd;
          const gdecayed = gkeep + (decayed >= kt ? gq : 0);
          let gkt = gadd + (decayed >= kt ? 0 : gq);
          let gvt = add * ga;

          // Output: (e^{p} a + e^{u+k} v) / (e^{p} b + e^{u+k}); its own maximum cancels
          const m = Math.max(p, uc + kt);
          const [past, present] = [Math.exp(p - m), Math.exp(uc + kt - m)];
          const denominator = past * b + present;
          const gnum = at(gy.data, t * width + c) / denominator;
          const gden = (-gnum * (past * a + present * vt)) / denominator;
          const gpresent = present * (gnum * vt + gden);
          gkt += gpresent;
          gvt += present * gnum;

          gw.data[c] = at(gw.data, c) + gdecayed;
          gu.data[c] = at(gu.data, c) + gpresent;
          gk.data[t * width + c] = gkt;
          gv.data[t * width + c] = gvt;
          gp = gdecayed + past * (gnum * a + gden * b);
          ga = keep * ga + past * gnum;
          gb = keep * gb + past * gden;
        }
        [gaa0.data[place], gbb0.data[place], gpp0.data[place]] = [ga, gb, gp];
      }
    });
  },
};

interface Average {
  readonly a: number;
  readonly b: number;
  readonly p: number;
}

/** The state of one channel before each token of a sequence. */
function statesBefore(
  initial: Average,
  k: Numbers,
  v: Numbers,
  w: number,
  width: number,
  c: number,
  begin: number,
  end: number,
): Average[] {
  const states: Average[] = [];
  let state = initial;
  for (let t = begin; t < end; t++) {
    states.push(state);
    const [kt, vt] = [at(k, t * width + c), at(v, t * width + c)];
    const q = Math.max(state.p + w, kt);
    const [keep, add] = [Math.exp(state.p + w - q), Math.exp(kt - q)];
    state = { a: keep * state.a + add * vt, b: keep * state.b + add, p: q };
  }
  return states;
}
