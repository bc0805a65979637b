// direct GEMV timing per format through the device: linear [K→O], one row
import { wasm } from '@receptance/backend-wasm';
import { GraphBuilder, quantizedSource, convertTensors } from '@receptance/core';
const K=2048,O=8192; const threads=+process.argv[2]||1; const N=+process.argv[3]||1;
const w=new Float32Array(K*O).map(()=>Math.random()-0.5);
const base={tensors:new Map([['w.weight',{dtype:'f32',shape:[O,K],bytes:K*O*4}]]), read:async(n,r)=>new Uint8Array(w.buffer,r?.start??0,(r?r.end-r.start:K*O*4))};
for (const dt of ['f32','f16','bf16','q8_0','q4_0']) {
  const src = dt==='f32'?base: dt.startsWith('q')? quantizedSource(base,dt,()=>true): convertTensors(base,{dtype:dt});
  const b=new GraphBuilder('g'); let y; const x=b.input('x','f32',['N',K]);
  const p=b.parameter('w.weight',dt,[O,K]); b.output('y',b.linear(x,p)); const g=b.build();
  const d=await wasm({threads}).open(); const P=await d.loadParameters(src,[g]); const e=await d.compile(g,P,{N});
  const X=d.alloc('f32',N*K),Y=d.alloc('f32',N*O); d.write(X,new Float32Array(N*K).map(()=>Math.random()-0.5));
  const bind={sizes:{N},inputs:{x:X},outputs:{y:Y}}; const steps=N===1?20:2;
  const loop={steps,carry:{},feed:[],collect:[]};
  await d.run(e,bind,loop); let best=1e9; for(let i=0;i<6;i++){const t=performance.now(); await d.run(e,bind,loop); best=Math.min(best,(performance.now()-t)/steps);}
  console.log(dt, threads+'T', best.toFixed(2)+'ms', (P.bytes/best/1e6).toFixed(1)+' GB/s', (2*N*K*O/best/1e6).toFixed(1)+' GFLOP/s');
  await d.close();
}
