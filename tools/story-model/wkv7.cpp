// WKV-7, forward and backward, for training on a CPU. Built and loaded by wkv7.py.
//
//   S_t = S_{t-1} diag(w_t) + (S_{t-1} a_t) b_t^T + v_t k_t^T        y_t = S_t r_t        S_{-1} = 0
//
// Inputs and outputs are [B, T, H, N] contiguous; T is a multiple of CHUNK. S is [value, key].
// The rows of S (values) never touch each other, so the forward pass keeps values in vector lanes (no horizontal sums).
// It stores sa = S_{t-1} a_t and the state before every CHUNK tokens; the backward pass rebuilds the states of a chunk
// from these with keys in vector lanes, because all gradients but that of v are sums over values.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace {

constexpr int CHUNK = 16;
// Rows of the state worked on at once in the backward pass: enough to hide the latency of their horizontal sums.
constexpr int ROWS = 4;

template <typename T>
struct Lanes {
  static constexpr int width = 64 / sizeof(T);
  typedef T type __attribute__((vector_size(64), aligned(sizeof(T)), may_alias));
};

inline float horizontal_sum(Lanes<float>::type x) {
  typedef float half __attribute__((vector_size(32)));
  typedef float quarter __attribute__((vector_size(16)));
  half h = __builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7) + __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15);
  quarter q = __builtin_shufflevector(h, h, 0, 1, 2, 3) + __builtin_shufflevector(h, h, 4, 5, 6, 7);
  return (q[0] + q[2]) + (q[1] + q[3]);
}

inline double horizontal_sum(Lanes<double>::type x) {
  return ((x[0] + x[4]) + (x[1] + x[5])) + ((x[2] + x[6]) + (x[3] + x[7]));
}

// checkpoints: [B, H, T / CHUNK, N key, N value]
template <typename T, int N>
void forward(int64_t B, int64_t length, int64_t H, const T *r, const T *w, const T *k, const T *v, const T *a, const T *b, T *y,
             T *sa_out, T *checkpoints) {
  using vec = typename Lanes<T>::type;
  constexpr int W = Lanes<T>::width, groups = N / W;
#pragma omp parallel for collapse(2) schedule(dynamic, 1)
  for (int64_t batch = 0; batch < B; batch++) {
    for (int64_t head = 0; head < H; head++) {
      alignas(64) T state[N * N] = {};  // [key, value]
      for (int64_t t = 0; t < length; t++) {
        const int64_t at = ((batch * length + t) * H + head) * N;
        if (t % CHUNK == 0) std::memcpy(checkpoints + ((batch * H + head) * (length / CHUNK) + t / CHUNK) * N * N, state, sizeof state);
        vec sa[groups] = {}, out[groups] = {}, value[groups];
        for (int g = 0; g < groups; g++) value[g] = *(const vec *)(v + at + g * W);
        for (int j = 0; j < N; j++)
          for (int g = 0; g < groups; g++) sa[g] += *(vec *)(state + j * N + g * W) * a[at + j];
        for (int j = 0; j < N; j++) {
          for (int g = 0; g < groups; g++) {
            vec *s = (vec *)(state + j * N + g * W);
            *s = *s * w[at + j] + sa[g] * b[at + j] + value[g] * k[at + j];
            out[g] += *s * r[at + j];
          }
        }
        for (int g = 0; g < groups; g++) {
          *(vec *)(y + at + g * W) = out[g];
          *(vec *)(sa_out + at + g * W) = sa[g];
        }
      }
    }
  }
}

template <typename T, int N>
void backward(int64_t B, int64_t length, int64_t H, const T *r, const T *w, const T *k, const T *v, const T *a, const T *b, const T *sa,
              const T *checkpoints, const T *dy, T *dr, T *dw, T *dk, T *dv, T *da, T *db) {
  using vec = typename Lanes<T>::type;
  constexpr int W = Lanes<T>::width, groups = N / W;
#pragma omp parallel for collapse(2) schedule(dynamic, 1)
  for (int64_t batch = 0; batch < B; batch++) {
    for (int64_t head = 0; head < H; head++) {
      alignas(64) T dstate[N * N] = {};  // [value, key]
      alignas(64) T states[CHUNK + 1][ROWS][N];
      alignas(64) vec gr[CHUNK][groups], gw[CHUNK][groups], gk[CHUNK][groups], ga[CHUNK][groups], gb[CHUNK][groups];
      for (int64_t chunk = length / CHUNK - 1; chunk >= 0; chunk--) {
        const T *start = checkpoints + ((batch * H + head) * (length / CHUNK) + chunk) * N * N;
        std::memset(gr, 0, sizeof gr);
        std::memset(gw, 0, sizeof gw);
        std::memset(gk, 0, sizeof gk);
        std::memset(ga, 0, sizeof ga);
        std::memset(gb, 0, sizeof gb);
        const int64_t base = ((batch * length + chunk * CHUNK) * H + head) * N, step = H * N;
        for (int i = 0; i < N; i += ROWS) {
          vec s[ROWS][groups], d[ROWS][groups];
          for (int row = 0; row < ROWS; row++) {
            for (int j = 0; j < N; j++) states[0][row][j] = start[j * N + i + row];
            for (int g = 0; g < groups; g++) s[row][g] = *(vec *)(states[0][row] + g * W);
            for (int g = 0; g < groups; g++) d[row][g] = *(vec *)(dstate + (i + row) * N + g * W);
          }
          for (int t = 0; t < CHUNK; t++) {
            const int64_t at = base + t * step;
            for (int g = 0; g < groups; g++) {
              const vec wg = *(const vec *)(w + at + g * W), bg = *(const vec *)(b + at + g * W), kg = *(const vec *)(k + at + g * W);
              for (int row = 0; row < ROWS; row++) {
                s[row][g] = s[row][g] * wg + bg * sa[at + i + row] + kg * v[at + i + row];
                *(vec *)(states[t + 1][row] + g * W) = s[row][g];
              }
            }
          }
          for (int t = CHUNK - 1; t >= 0; t--) {
            const int64_t at = base + t * step;
            vec dot_k[ROWS] = {}, dot_b[ROWS] = {};
            for (int g = 0; g < groups; g++) {
              const vec rg = *(const vec *)(r + at + g * W), bg = *(const vec *)(b + at + g * W), kg = *(const vec *)(k + at + g * W);
              vec sum_r = {}, sum_k = {}, sum_b = {}, sum_w = {};
              for (int row = 0; row < ROWS; row++) {
                d[row][g] += rg * dy[at + i + row];
                sum_r += *(vec *)(states[t + 1][row] + g * W) * dy[at + i + row];
                sum_k += d[row][g] * v[at + i + row];
                sum_b += d[row][g] * sa[at + i + row];
                sum_w += d[row][g] * *(vec *)(states[t][row] + g * W);
                dot_k[row] += d[row][g] * kg;
                dot_b[row] += d[row][g] * bg;
              }
              gr[t][g] += sum_r;
              gk[t][g] += sum_k;
              gb[t][g] += sum_b;
              gw[t][g] += sum_w;
            }
            T dsa[ROWS];
            for (int row = 0; row < ROWS; row++) dv[at + i + row] = horizontal_sum(dot_k[row]);
            for (int row = 0; row < ROWS; row++) dsa[row] = horizontal_sum(dot_b[row]);
            for (int g = 0; g < groups; g++) {
              const vec wg = *(const vec *)(w + at + g * W), ag = *(const vec *)(a + at + g * W);
              vec sum_a = {};
              for (int row = 0; row < ROWS; row++) {
                sum_a += *(vec *)(states[t][row] + g * W) * dsa[row];
                d[row][g] = d[row][g] * wg + ag * dsa[row];
              }
              ga[t][g] += sum_a;
            }
          }
          for (int row = 0; row < ROWS; row++)
            for (int g = 0; g < groups; g++) *(vec *)(dstate + (i + row) * N + g * W) = d[row][g];
        }
        for (int t = 0; t < CHUNK; t++) {
          const int64_t at = base + t * step;
          for (int g = 0; g < groups; g++) {
            *(vec *)(dr + at + g * W) = gr[t][g];
            *(vec *)(dw + at + g * W) = gw[t][g];
            *(vec *)(dk + at + g * W) = gk[t][g];
            *(vec *)(da + at + g * W) = ga[t][g];
            *(vec *)(db + at + g * W) = gb[t][g];
          }
        }
      }
    }
  }
}

}  // namespace

#define EXPORT(T, name, N)                                                                                                                    \
  extern "C" void wkv7_forward_##name##_##N(int64_t B, int64_t length, int64_t H, const T *r, const T *w, const T *k, const T *v, const T *a, \
                                            const T *b, T *y, T *sa, T *checkpoints) {                                                        \
    forward<T, N>(B, length, H, r, w, k, v, a, b, y, sa, checkpoints);                                                                        \
  }                                                                                                                                           \
  extern "C" void wkv7_backward_##name##_##N(int64_t B, int64_t length, int64_t H, const T *r, const T *w, const T *k, const T *v,            \
                                             const T *a, const T *b, const T *sa, const T *checkpoints, const T *dy, T *dr, T *dw, T *dk,     \
                                             T *dv, T *da, T *db) {                                                                           \
    backward<T, N>(B, length, H, r, w, k, v, a, b, sa, checkpoints, dy, dr, dw, dk, dv, da, db);                                              \
  }

EXPORT(float, f32, 32)
EXPORT(float, f32, 64)
EXPORT(double, f64, 32)
EXPORT(double, f64, 64)
