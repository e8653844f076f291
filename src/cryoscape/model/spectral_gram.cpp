#include "cryoscape/model/spectral_gram.hpp"

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cryoscape/model/spectral_gram.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace cryoscape::model::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using V = hn::CappedTag<float, 8>;

// Floats of a stretch: a dozen rows of it stay in the first cache.
constexpr std::size_t kStretch = 512;
// Rows that share the loads of another one.
constexpr int kTile = 4;

// Adds the products of one row with `tile` others (at most kTile) over a stretch.
template <int Tile>
static HWY_INLINE void AddProducts(std::size_t floats, const float* HWY_RESTRICT row, const float* others,
                                   std::size_t stride, double* HWY_RESTRICT out) {
  const V d;
  const std::size_t lanes = hn::Lanes(d);
  hn::Vec<V> s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0;
  float rest[kTile] = {};
  std::size_t f = 0;
  for (; f + lanes <= floats; f += lanes) {
    const auto a = hn::LoadU(d, row + f);
    s0 = hn::MulAdd(a, hn::LoadU(d, others + f), s0);
    if constexpr (Tile > 1) s1 = hn::MulAdd(a, hn::LoadU(d, others + stride + f), s1);
    if constexpr (Tile > 2) s2 = hn::MulAdd(a, hn::LoadU(d, others + 2 * stride + f), s2);
    if constexpr (Tile > 3) s3 = hn::MulAdd(a, hn::LoadU(d, others + 3 * stride + f), s3);
  }
  for (; f < floats; ++f)
    for (int k = 0; k < Tile; ++k) rest[k] += row[f] * others[k * stride + f];
  const auto sum = [&](hn::Vec<V> v) HWY_ATTR { return hn::GetLane(hn::SumOfLanes(d, v)); };
  out[0] += sum(s0) + rest[0];
  if constexpr (Tile > 1) out[1] += sum(s1) + rest[1];
  if constexpr (Tile > 2) out[2] += sum(s2) + rest[2];
  if constexpr (Tile > 3) out[3] += sum(s3) + rest[3];
}

static void Gram(int rows, std::size_t size, const float* vectors, double* products) {
  std::fill_n(products, static_cast<std::size_t>(rows) * rows, 0.0);
  for (std::size_t begin = 0; begin < size; begin += kStretch) {
    const std::size_t floats = std::min(kStretch, size - begin);
    for (int i = 0; i < rows; ++i) {
      const float* row = vectors + size * i + begin;
      for (int j = i; j < rows; j += kTile) {
        const float* others = vectors + size * j + begin;
        double* out = products + static_cast<std::ptrdiff_t>(i) * rows + j;
        switch (std::min(kTile, rows - j)) {
          case 1:
            AddProducts<1>(floats, row, others, size, out);
            break;
          case 2:
            AddProducts<2>(floats, row, others, size, out);
            break;
          case 3:
            AddProducts<3>(floats, row, others, size, out);
            break;
          default:
            AddProducts<4>(floats, row, others, size, out);
        }
      }
    }
  }
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < i; ++j) products[i * rows + j] = products[j * rows + i];
}

}  // namespace cryoscape::model::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cryoscape::model {
HWY_EXPORT(Gram);

void gram(int rows, std::size_t size, const float* vectors, double* products) {
  HWY_DYNAMIC_DISPATCH(Gram)(rows, size, vectors, products);
}

void whitening_factors(std::size_t size, const std::complex<float>* data, const float* ctf,
                       const SpectralTerms& terms, float* of_data, float* of_prediction) {
  for (std::size_t f = 0; f < size; ++f) {
    const float there = data[f].real() != 0 || data[f].imag() != 0 ? 1.0f : 0.0f;
    of_data[f] = there * std::sqrt(terms.weight[f] * terms.multiplicity[f]);
    of_prediction[f] = of_data[f] * terms.gain[f] * (ctf ? ctf[f] : 1.0f);
  }
}

}  // namespace cryoscape::model
#endif  // HWY_ONCE
