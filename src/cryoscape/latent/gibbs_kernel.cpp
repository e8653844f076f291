#include "cryoscape/latent/gibbs_kernel.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "cryoscape/util/parallel.hpp"
#include "cryoscape/util/random.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cryoscape/latent/gibbs_kernel.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// After highway.h, which it needs.
#include <hwy/contrib/math/math-inl.h>

#ifndef CRYOSCAPE_LATENT_GIBBS_GROUP
#define CRYOSCAPE_LATENT_GIBBS_GROUP
namespace cryoscape::latent {
/// Units that are updated from the same inputs, at once or one by one.
struct UnitGroup {
  std::size_t first, count, first_input, inputs;
  const float* biases;      ///< (count)
  const float* weights;     ///< (count, inputs)
  std::size_t first_block;  ///< of random numbers, which come in fours
  bool one_by_one;
};

/// What names the random numbers of a sweep of a tile of chains.
struct NoiseKey {
  std::uint64_t seed;
  std::size_t chain;  ///< of the first lane
  std::uint32_t sweep;
};
}  // namespace cryoscape::latent
#endif

// Compiled once per instruction set; every lane is a chain of its own.
HWY_BEFORE_NAMESPACE();
namespace cryoscape::latent::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using U = hn::RebindToUnsigned<D>;
using Vec = hn::Vec<D>;
using Words = hn::Vec<U>;

constexpr std::size_t kVectors = 2;  // per tile: two times four units keep eight sums in flight
constexpr std::size_t kFour = 4;

static std::size_t TileChains() { return kVectors * hn::Lanes(D()); }

struct Four {
  Words w[4];
};

static HWY_INLINE Words HighProduct(Words a, Words factor) {
  const U d;
#if HWY_TARGET == HWY_SCALAR
  return hn::Set(d, static_cast<std::uint32_t>(std::uint64_t{hn::GetLane(a)} * hn::GetLane(factor) >> 32));
#else
  const hn::RepartitionToWide<U> wide;
  const auto even = hn::MulEven(a, factor);
  const auto odd = hn::MulEven(hn::BitCast(d, hn::ShiftRight<32>(hn::BitCast(wide, a))), factor);
  return hn::OddEven(hn::BitCast(d, odd), hn::BitCast(d, hn::ShiftRight<32>(even)));
#endif
}

// Philox4x32-10 of the counters (sweep, block) in the streams of consecutive chains.
static HWY_INLINE Four Random(const NoiseKey& key, std::size_t vector, std::size_t block) {
  const U d;
  const std::uint64_t chain = key.chain + vector * hn::Lanes(d);
  // Tiles begin at multiples of their width, so that no lane carries into the high word.
  Four c{{hn::Set(d, key.sweep), hn::Set(d, static_cast<std::uint32_t>(block)),
          hn::Iota(d, static_cast<std::uint32_t>(chain)),
          hn::Set(d, static_cast<std::uint32_t>(chain >> 32))}};
  auto k0 = static_cast<std::uint32_t>(key.seed), k1 = static_cast<std::uint32_t>(key.seed >> 32);
  const auto m0 = hn::Set(d, 0xD2511F53u), m1 = hn::Set(d, 0xCD9E8D57u);
  for (int round = 0; round < 10; ++round) {
    const auto high0 = HighProduct(c.w[0], m0), high1 = HighProduct(c.w[2], m1);
    const auto low0 = hn::Mul(c.w[0], m0), low1 = hn::Mul(c.w[2], m1);
    c = {{hn::Xor(hn::Xor(high1, c.w[1]), hn::Set(d, k0)), low1,
          hn::Xor(hn::Xor(high0, c.w[3]), hn::Set(d, k1)), low0}};
    k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
  }
  return c;
}

// 1 where u < σ(field), else 0: u (1 + e^{−field}) < 1.
static HWY_INLINE Vec Draw(Vec field, Words random) {
  const D d;
  const hn::RebindToSigned<D> integers;
  const auto u = hn::Mul(hn::ConvertTo(d, hn::BitCast(integers, hn::ShiftRight<8>(random))),
                         hn::Set(d, 1.0f / 16777216));
  const auto bounded = hn::Min(hn::Max(field, hn::Set(d, -80.0f)), hn::Set(d, 80.0f));
  const auto odds = hn::Exp(d, hn::Neg(bounded));
  const auto one = hn::Set(d, 1.0f);
  return hn::IfThenElseZero(hn::Lt(hn::MulAdd(u, odds, u), one), one);
}

// Fields of Units units of a tile: bias + Σ weight · input.
template <std::size_t Units>
static HWY_INLINE void Fields(const UnitGroup& g, std::size_t unit, const float* HWY_RESTRICT input,
                              Vec (&fields)[Units][kVectors]) {
  const D d;
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t u = 0; u < Units; ++u)
    for (std::size_t v = 0; v < kVectors; ++v) fields[u][v] = hn::Set(d, g.biases[unit + u]);
  const float* weights = g.weights + unit * g.inputs;
  for (std::size_t i = 0; i < g.inputs; ++i) {
    Vec z[kVectors];
    for (std::size_t v = 0; v < kVectors; ++v) z[v] = hn::Load(d, input + (i * kVectors + v) * lanes);
    for (std::size_t u = 0; u < Units; ++u) {
      const auto w = hn::Set(d, weights[u * g.inputs + i]);
      for (std::size_t v = 0; v < kVectors; ++v) fields[u][v] = hn::MulAdd(w, z[v], fields[u][v]);
    }
  }
}

template <std::size_t Units>
static HWY_INLINE void Update(const UnitGroup& g, std::size_t unit, const Four (&random)[kVectors],
                              float* HWY_RESTRICT tile) {
  const D d;
  const std::size_t lanes = hn::Lanes(d);
  Vec fields[Units][kVectors];
  Fields<Units>(g, unit, tile + g.first_input * kVectors * lanes, fields);
  for (std::size_t u = 0; u < Units; ++u)
    for (std::size_t v = 0; v < kVectors; ++v)
      hn::Store(Draw(fields[u][v], random[v].w[(unit + u) % kFour]), d,
                tile + ((g.first + unit + u) * kVectors + v) * lanes);
}

// One sweep of a tile (units, TileChains()).
static void Sweep(const UnitGroup* groups, std::size_t count, const NoiseKey& key, float* HWY_RESTRICT tile) {
  for (const auto* g = groups; g != groups + count; ++g)
    for (std::size_t unit = 0; unit < g->count; unit += kFour) {
      Four random[kVectors];
      for (std::size_t v = 0; v < kVectors; ++v) random[v] = Random(key, v, g->first_block + unit / kFour);
      if (!g->one_by_one && unit + kFour <= g->count)
        Update<kFour>(*g, unit, random, tile);
      else
        for (std::size_t u = unit; u < std::min(unit + kFour, g->count); ++u) Update<1>(*g, u, random, tile);
    }
}

}  // namespace cryoscape::latent::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <hwy/aligned_allocator.h>
namespace cryoscape::latent {
HWY_EXPORT(TileChains);
HWY_EXPORT(Sweep);

namespace {

std::size_t blocks_of(std::size_t units) { return (units + 3) / 4; }

void run(std::span<const UnitGroup> groups, std::size_t units, std::span<float> chains, int sweeps,
         std::uint64_t seed) {
  const std::size_t n = chains.size() / units, width = HWY_DYNAMIC_DISPATCH(TileChains)();
  parallel_ranges((n + width - 1) / width, [&](std::size_t begin, std::size_t end) {
    const auto tile = hwy::AllocateAligned<float>(units * width);
    for (std::size_t t = begin; t < end; ++t) {
      const std::size_t first = t * width, count = std::min(width, n - first);
      float* own = chains.data() + first * units;
      std::fill_n(tile.get(), units * width, 0.0f);
      for (std::size_t k = 0; k < count; ++k)
        for (std::size_t i = 0; i < units; ++i) tile[i * width + k] = own[k * units + i];
      for (int s = 0; s < sweeps; ++s) HWY_DYNAMIC_DISPATCH(Sweep)
      (groups.data(), groups.size(), {seed, first, static_cast<std::uint32_t>(s)}, tile.get());
      for (std::size_t k = 0; k < count; ++k)
        for (std::size_t i = 0; i < units; ++i) own[k * units + i] = tile[i * width + k];
    }
  });
}

}  // namespace

void block_gibbs(const BipartiteMachine& machine, std::span<float> chains, int sweeps, std::uint64_t seed) {
  const auto left = machine.left, right = machine.right;
  std::vector<float> transposed(left * right);
  for (std::size_t i = 0; i < left; ++i)
    for (std::size_t j = 0; j < right; ++j) transposed[j * left + i] = machine.couplings[i * right + j];
  const std::array<UnitGroup, 2> groups{
      {{0, left, left, right, machine.biases, machine.couplings, 0, false},
       {left, right, 0, left, machine.biases + left, transposed.data(), blocks_of(left), false}}};
  run(groups, left + right, chains, sweeps, seed);
}

void sequential_gibbs(const DenseMachine& machine, std::span<float> chains, int sweeps, std::uint64_t seed) {
  const std::array<UnitGroup, 1> groups{
      {{0, machine.units, 0, machine.units, machine.biases, machine.couplings, 0, true}}};
  run(groups, machine.units, chains, sweeps, seed);
}

float gibbs_noise(std::uint64_t seed, std::size_t chain, int sweep, std::size_t first_block,
                  std::size_t unit) {
  const std::uint64_t counter = static_cast<std::uint64_t>(first_block + unit / 4) << 32 |
                                static_cast<std::uint64_t>(static_cast<std::uint32_t>(sweep));
  return static_cast<float>(Philox::generate(seed, chain, counter).at(unit % 4) >> 8) / 16777216.0f;
}

}  // namespace cryoscape::latent
#endif  // HWY_ONCE
