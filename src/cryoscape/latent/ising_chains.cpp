#include "cryoscape/latent/ising_chains.hpp"

#include <algorithm>

#include "cryoscape/util/interrupt.hpp"
#include "cryoscape/util/parallel.hpp"
#include "cryoscape/util/random.hpp"

namespace cryoscape::latent {
namespace {

constexpr std::uint64_t kStartStreams = std::uint64_t{1} << 62;

}  // namespace

IsingChains::IsingChains(int spins, int count, std::uint64_t seed, std::uint64_t stream)
    : spins_(spins),
      count_(count),
      seed_(seed),
      stream_(stream),
      values_(static_cast<std::size_t>((count + kIsingLanes - 1) / kIsingLanes) * block_size()) {
  parallel_for(blocks(), [&](std::size_t b) {
    Philox random(seed_, kStartStreams + stream_ + b);
    for (std::size_t k = 0; k < block_size(); ++k)
      values_[b * block_size() + k] = random() & 1 ? 1.0f : -1.0f;
  });
}

float& IsingChains::at(int chain, int spin) {
  const auto block = static_cast<std::size_t>(chain / kIsingLanes);
  return values_[block * block_size() + static_cast<std::size_t>(spin * kIsingLanes + chain % kIsingLanes)];
}

template <class Betas>
void IsingChains::run(const IsingGraph& graph, int sweeps, const Betas& betas) {
  const auto step = counters_per_sweep(graph);
  parallel_for(blocks(), [&](std::size_t b) {
    float lanes[kIsingLanes] = {};
    for (int t = 0; t < sweeps; ++t) {
      throw_if_interrupted();
      betas(t, b, lanes);
      const auto counter = (done_ + static_cast<std::uint64_t>(t)) * step;
      gibbs_sweep(graph, lanes, {seed_, stream_ + b, counter}, values_.data() + b * block_size());
    }
  });
  done_ += static_cast<std::uint64_t>(sweeps);
}

void IsingChains::sweep(const IsingGraph& graph, double beta, int sweeps) {
  run(graph, sweeps,
      [&](int, std::size_t, float* lanes) { std::fill_n(lanes, kIsingLanes, static_cast<float>(beta)); });
}

void IsingChains::sweep(const IsingGraph& graph, std::span<const float> betas, int sweeps) {
  run(graph, sweeps, [&](int, std::size_t b, float* lanes) {
    const auto rest = betas.subspan(b * kIsingLanes);
    std::copy_n(rest.begin(), std::min<std::size_t>(kIsingLanes, rest.size()), lanes);
  });
}

void IsingChains::anneal(const IsingGraph& graph, std::span<const double> schedule) {
  run(graph, static_cast<int>(schedule.size()), [&](int t, std::size_t, float* lanes) {
    std::fill_n(lanes, kIsingLanes, static_cast<float>(schedule[t]));
  });
}

std::vector<double> IsingChains::energies(const IsingGraph& graph) const {
  std::vector<double> all(blocks() * kIsingLanes);
  parallel_for(blocks(), [&](std::size_t b) {
    const float* spins = values_.data() + b * block_size();
    double* energy = all.data() + b * kIsingLanes;
    float fields[kIsingLanes];
    for (int i = 0; i < spins_; ++i) {
      ising_fields(graph, i, spins, kIsingLanes, fields);
      // Every pair is met from both its ends, a field once: −½ Σ s (f + h).
      for (int l = 0; l < kIsingLanes; ++l)
        energy[l] -= 0.5 * spins[i * kIsingLanes + l] * (static_cast<double>(fields[l]) + graph.fields[i]);
    }
  });
  all.resize(static_cast<std::size_t>(count_));
  return all;
}

void IsingChains::set(std::span<const std::int8_t> states) {
  auto state = states.begin();
  for (int k = 0; k < count_; ++k)
    for (int i = 0; i < spins_; ++i) at(k, i) = *state++;
}

void IsingChains::get(std::span<std::int8_t> states) const {
  auto state = states.begin();
  for (int k = 0; k < count_; ++k)
    for (int i = 0; i < spins_; ++i) *state++ = static_cast<std::int8_t>(at(k, i));
}

std::vector<std::int8_t> IsingChains::states() const {
  std::vector<std::int8_t> all(static_cast<std::size_t>(count_) * static_cast<std::size_t>(spins_));
  get(all);
  return all;
}

void IsingChains::resample(std::span<const int> parents) {
  const auto before = *this;
  parallel_for(static_cast<std::size_t>(count_), [&](std::size_t k) {
    for (int i = 0; i < spins_; ++i) at(static_cast<int>(k), i) = before.at(parents[k], i);
  });
}

}  // namespace cryoscape::latent
