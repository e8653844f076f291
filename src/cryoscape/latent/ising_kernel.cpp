#include "cryoscape/latent/ising_kernel.hpp"

#include <algorithm>
#include <cmath>

#include "cryoscape/util/random.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cryoscape/latent/ising_kernel.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// After the targets.
#include <hwy/contrib/math/math-inl.h>

// Compiled once per instruction set; every lane is a chain of its own.
HWY_BEFORE_NAMESPACE();
namespace cryoscape::latent::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using V = hn::CappedTag<float, kIsingLanes>;
using Vec = hn::Vec<V>;

// Four partial sums: one would wait for itself at every addition.
static HWY_INLINE Vec Field(const IsingGraph& graph, int spin, const float* HWY_RESTRICT x,
                            std::size_t width) {
  const V d;
  const int* HWY_RESTRICT neighbour = graph.neighbour.data();
  const float* HWY_RESTRICT value = graph.value.data();
  int k = graph.start[spin];
  const int end = graph.start[spin + 1];
  const auto term = [&](int at, Vec sum) HWY_ATTR {
    return hn::MulAdd(hn::Set(d, value[at]), hn::LoadU(d, x + neighbour[at] * width), sum);
  };
  Vec a = hn::Set(d, graph.fields[spin]), b = hn::Zero(d), c = b, e = b;
  for (; k + 4 <= end; k += 4) a = term(k, a), b = term(k + 1, b), c = term(k + 2, c), e = term(k + 3, e);
  for (; k < end; ++k) a = term(k, a);
  return hn::Add(hn::Add(a, b), hn::Add(c, e));
}

// Words [4c, 4c + 3] of kCountersPerDraw successive counters, word by word: (4, kCounters).
static void Words(const PhiloxPlace& random, std::uint64_t counter, std::uint32_t* HWY_RESTRICT words) {
  std::uint32_t *HWY_RESTRICT c0 = words, *HWY_RESTRICT c1 = words + kCountersPerDraw,
                              *HWY_RESTRICT c2 = words + 2 * kCountersPerDraw,
                              *HWY_RESTRICT c3 = words + 3 * kCountersPerDraw;
  for (int k = 0; k < kCountersPerDraw; ++k) {
    const std::uint64_t at = counter + static_cast<std::uint64_t>(k);
    c0[k] = static_cast<std::uint32_t>(at), c1[k] = static_cast<std::uint32_t>(at >> 32);
    c2[k] = static_cast<std::uint32_t>(random.stream);
    c3[k] = static_cast<std::uint32_t>(random.stream >> 32);
  }
  auto k0 = static_cast<std::uint32_t>(random.seed), k1 = static_cast<std::uint32_t>(random.seed >> 32);
  for (int round = 0; round < 10; ++round) {
    for (int k = 0; k < kCountersPerDraw; ++k) {
      const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c0[k], p1 = std::uint64_t{0xCD9E8D57u} * c2[k];
      c0[k] = static_cast<std::uint32_t>(p1 >> 32) ^ c1[k] ^ k0;
      c2[k] = static_cast<std::uint32_t>(p0 >> 32) ^ c3[k] ^ k1;
      c1[k] = static_cast<std::uint32_t>(p1), c3[k] = static_cast<std::uint32_t>(p0);
    }
    k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
  }
}

static void Fields(const IsingGraph& graph, int spin, const float* HWY_RESTRICT x, std::size_t width,
                   float* HWY_RESTRICT fields) {
  const V d;
  for (std::size_t l = 0; l < width; l += hn::Lanes(d))
    hn::StoreU(Field(graph, spin, x + l, width), d, fields + l);
}

// +1 with probability 1/(1 + e^{−2βf}): where u (1 + e^{−2βf}) < 1.
static HWY_INLINE Vec Draw(Vec field, Vec beta, const std::uint32_t* HWY_RESTRICT words) {
  const V d;
  const hn::RebindToUnsigned<V> du;
  const hn::RebindToSigned<V> di;
  const auto top = hn::BitCast(di, hn::ShiftRight<8>(hn::LoadU(du, words)));
  const auto u = hn::MulAdd(hn::ConvertTo(d, top), hn::Set(d, 1.0f / 16777216), hn::Set(d, 0.5f / 16777216));
  const auto exponent = hn::Mul(hn::Mul(hn::Set(d, -2.0f), beta), field);
  const auto against = hn::Exp(d, hn::Min(exponent, hn::Set(d, 80.0f)));
  const auto one = hn::Set(d, 1.0f);
  return hn::IfThenElse(hn::Lt(hn::MulAdd(u, against, u), one), one, hn::Set(d, -1.0f));
}

static void Sweep(const IsingGraph& graph, const float* HWY_RESTRICT beta, const PhiloxPlace& random,
                  float* HWY_RESTRICT spins) {
  const V d;
  HWY_ALIGN std::uint32_t words[kSpinsPerDraw * kIsingLanes];
  const int n = graph.spins();
  for (int first = 0; first < n; first += kSpinsPerDraw) {
    Words(random, random.counter + static_cast<std::uint64_t>(first / kSpinsPerDraw) * kCountersPerDraw,
          words);
    for (int k = first; k < std::min(first + kSpinsPerDraw, n); ++k) {
      const int spin = graph.order[k];
      float* HWY_RESTRICT own = spins + static_cast<std::size_t>(spin) * kIsingLanes;
      const std::uint32_t* HWY_RESTRICT word = words + (k - first) * kIsingLanes;
      for (std::size_t l = 0; l < kIsingLanes; l += hn::Lanes(d)) {
        const auto field = Field(graph, spin, spins + l, kIsingLanes);
        hn::StoreU(Draw(field, hn::LoadU(d, beta + l), word + l), d, own + l);
      }
    }
  }
}

}  // namespace cryoscape::latent::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cryoscape::latent {
HWY_EXPORT(Fields);
HWY_EXPORT(Sweep);

std::uint64_t counters_per_sweep(const IsingGraph& graph) {
  return static_cast<std::uint64_t>((graph.spins() + kSpinsPerDraw - 1) / kSpinsPerDraw) * kCountersPerDraw;
}

void ising_fields(const IsingGraph& graph, int spin, const float* x, std::size_t width, float* fields) {
  HWY_DYNAMIC_DISPATCH(Fields)(graph, spin, x, width, fields);
}

void gibbs_sweep(const IsingGraph& graph, const float* beta, const PhiloxPlace& random, float* spins) {
  HWY_DYNAMIC_DISPATCH(Sweep)(graph, beta, random, spins);
}

std::array<std::uint32_t, kIsingLanes> sweep_words(const PhiloxPlace& random, int k) {
  std::array<std::uint32_t, kIsingLanes> words;
  for (int l = 0; l < kIsingLanes; ++l) {
    const int at = (k % kSpinsPerDraw) * kIsingLanes + l;
    const int counter = k / kSpinsPerDraw * kCountersPerDraw + at % kCountersPerDraw;
    words[l] = Philox::generate(random.seed, random.stream,
                                random.counter + static_cast<std::uint64_t>(counter))[at / kCountersPerDraw];
  }
  return words;
}

void gibbs_sweep_reference(const IsingGraph& graph, const float* beta, const PhiloxPlace& random,
                           float* spins) {
  for (int k = 0; k < graph.spins(); ++k) {
    const int spin = graph.order[k];
    const auto words = sweep_words(random, k);
    for (int l = 0; l < kIsingLanes; ++l) {
      double field = graph.fields[spin];
      for (int j = graph.start[spin]; j < graph.start[spin + 1]; ++j)
        field += graph.value[j] * spins[graph.neighbour[j] * kIsingLanes + l];
      const double u = ((words[l] >> 8) + 0.5) / 16777216;
      spins[spin * kIsingLanes + l] = u < 1 / (1 + std::exp(-2 * beta[l] * field)) ? 1.0f : -1.0f;
    }
  }
}

}  // namespace cryoscape::latent
#endif  // HWY_ONCE
