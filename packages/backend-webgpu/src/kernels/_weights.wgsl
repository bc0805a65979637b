// Put before shaders that read weights in any format. Their first two bindings are these.

override FORMAT: u32; // 0: f32, 1: f16, 2: bf16, 3: q8_0, 4: q4_0
override PER_CHUNK: u32 = 4u << (FORMAT - select(0u, 1u, FORMAT > 1u)); // weights in 16 bytes

@group(0) @binding(1) var<storage, read> chunks: array<vec4u>; // rows of 16-byte pieces; those of f32 of any length
@group(0) @binding(2) var<storage, read> words: array<u32>; // the same memory; of blocks, the scales lie behind the numbers

/// Four bytes as signed numbers.
fn signed_bytes(word: u32) -> vec4f {
  return vec4f(bitcast<vec4i>(vec4u(word) << vec4u(24u, 16u, 8u, 0u)) >> vec4u(24u));
}

/// Weights 4 j to 4 j + 3 of a chunk; those of blocks without their scale.
fn quartet(chunk: vec4u, j: u32) -> vec4f {
  switch FORMAT {
    case 0u: {
      return bitcast<vec4f>(chunk);
    }
    case 1u: {
      let pair = select(chunk.xy, chunk.zw, j == 1u);
      return vec4f(unpack2x16float(pair.x), unpack2x16float(pair.y));
    }
    case 2u: {
      let pair = select(chunk.xy, chunk.zw, j == 1u);
      return bitcast<vec4f>(vec4u(pair.x << 16u, pair.x & 0xffff0000u, pair.y << 16u, pair.y & 0xffff0000u));
    }
    case 3u: {
      return signed_bytes(chunk[j]);
    }
    default: {
      // Low halves of the 16 bytes, then the high ones.
      let halves = (chunk[j & 3u] >> select(0u, 4u, j > 3u)) & 0x0f0f0f0fu;
      return vec4f((vec4u(halves) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(0xffu)) - 8.0;
    }
  }
}

/// Chunks in a row of `columns` weights.
fn chunks_of(columns: u32) -> u32 {
  return (columns + PER_CHUNK - 1u) / PER_CHUNK;
}

/// The scale of a block, counted over all rows; `at` is the chunk where the weight begins.
fn scale_of(at: u32, rows: u32, columns: u32, block: u32) -> f32 {
  if FORMAT < 3u {
    return 1.0;
  }
  let word = (at + rows * (columns / PER_CHUNK)) * 4u + (block >> 1u);
  let pair = unpack2x16float(words[word]);
  return select(pair.x, pair.y, (block & 1u) == 1u);
}

/// One weight. `rows` are those of the part at `at`.
fn weight_at(at: u32, rows: u32, columns: u32, row: u32, column: u32) -> f32 {
  if FORMAT == 0u {
    return bitcast<f32>(words[at * 4u + row * columns + column]);
  }
  let index = at + row * chunks_of(columns) + column / PER_CHUNK;
  let inside = column % PER_CHUNK;
  let four = quartet(chunks[index], inside / 4u);
  return four[inside % 4u] * scale_of(at, rows, columns, (row * columns + column) / 32u);
}
