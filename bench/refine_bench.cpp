#include <benchmark/benchmark.h>

#include <complex>
#include <vector>

#include "cryoscape/model/likelihood_expansion.hpp"
#include "cryoscape/optics/ctf.hpp"
#include "cryoscape/optics/fft.hpp"
#include "cryoscape/util/parallel.hpp"
#include "cryoscape/util/random.hpp"
#include "globule.hpp"

using namespace cryoscape;

namespace {

/// What one Gauss–Newton iteration of `refine` needs of every particle besides the decoder: value, score and
/// information along d displacements. Arguments: residues, box, d, whether the CTF acts in a wider box,
/// threads. Items are particles.
void expansion(benchmark::State& state) {
  constexpr int kParticles = 16;
  const bench::Globule g(static_cast<int>(state.range(0)), static_cast<int>(state.range(1)));
  const int directions = static_cast<int>(state.range(2)), box = g.spec.box;
  set_thread_count(static_cast<int>(state.range(4)));
  Philox random(2);
  std::vector<float> displacements(g.coordinates.size() * directions);
  for (auto& u : displacements) u = static_cast<float>(random.normal());
  std::vector<std::complex<float>> data(optics::half_size(box));
  optics::rfft2(box, g.image.data(), data.data());
  optics::CtfParameters parameters;
  parameters.defocus_u = 15000, parameters.defocus_v = 14500, parameters.defocus_angle = 0.4f;
  std::vector<float> ctf(data.size()), wide_ctf(optics::half_size(2 * box));
  optics::evaluate_ctf({}, parameters, box, g.spec.pixel_size, ctf);
  optics::evaluate_ctf({}, parameters, 2 * box, g.spec.pixel_size, wide_ctf);

  const std::int64_t group = 0;
  model::BatchView batch;
  batch.size = 1;
  batch.rotations = g.rotation.data(), batch.shifts = g.shift.data();
  batch.spectra = data.data(), batch.ctf = ctf.data(), batch.groups = &group;
  if (state.range(3)) batch.wide_ctf = wide_ctf.data();
  std::vector<float> coordinates, moves, score(kParticles * directions), ratio(kParticles),
      information(kParticles * directions * directions);
  for (int i = 0; i < kParticles; ++i) {
    coordinates.insert(coordinates.end(), g.coordinates.begin(), g.coordinates.end());
    moves.insert(moves.end(), displacements.begin(), displacements.end());
  }
  const std::vector<std::int64_t> particle(kParticles, 0);
  const model::ExpansionPoints points{kParticles, directions, particle.data(), coordinates.data(),
                                      moves.data()};
  const model::SpectralModel spectral(box, box / 2, 1);
  for (auto _ : state) {
    model::expand_likelihood(g.spec, g.amplitudes, spectral, {}, batch, points,
                             {ratio.data(), score.data(), information.data(), nullptr});
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * kParticles);
}

}  // namespace

BENCHMARK(expansion)
    ->Args({1200, 128, 8, 0, 1})
    ->Args({1200, 128, 8, 1, 1})
    ->Args({1200, 128, 0, 1, 1})
    ->Args({1200, 128, 8, 0, 2})
    ->Args({1200, 128, 8, 1, 2})
    ->Args({200, 64, 8, 1, 1})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

BENCHMARK_MAIN();
