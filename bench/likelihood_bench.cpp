#include <benchmark/benchmark.h>

#include <complex>
#include <vector>

#include "cryoscape/model/image_likelihood.hpp"
#include "cryoscape/optics/ctf.hpp"
#include "cryoscape/optics/fft.hpp"
#include "cryoscape/util/parallel.hpp"
#include "globule.hpp"

using namespace cryoscape;

namespace {

using Complex = std::complex<float>;

optics::CtfParameters defocused() {
  optics::CtfParameters ctf;
  ctf.defocus_u = 15000, ctf.defocus_v = 14500, ctf.defocus_angle = 0.4f;
  return ctf;
}

void forward_fft(benchmark::State& state) {
  const bench::Globule g(1, static_cast<int>(state.range(0)));
  std::vector<Complex> spectrum(optics::half_size(g.spec.box));
  for (auto _ : state) {
    optics::rfft2(g.spec.box, g.image.data(), spectrum.data());
    benchmark::ClobberMemory();
  }
}

void inverse_fft(benchmark::State& state) {
  bench::Globule g(1, static_cast<int>(state.range(0)));
  std::vector<Complex> spectrum(optics::half_size(g.spec.box), Complex(1, -1));
  for (auto _ : state) {
    optics::irfft2(g.spec.box, spectrum.data(), g.image.data());
    benchmark::ClobberMemory();
  }
}

void ctf(benchmark::State& state) {
  const int box = static_cast<int>(state.range(0));
  std::vector<float> values(optics::half_size(box));
  for (auto _ : state) {
    optics::evaluate_ctf({}, defocused(), box, 1.0, values);
    benchmark::ClobberMemory();
  }
}

/// Log-likelihood and gradient of one image on one core: residues, box.
void likelihood(benchmark::State& state) {
  set_thread_count(1);
  bench::Globule g(static_cast<int>(state.range(0)), static_cast<int>(state.range(1)));
  const int box = g.spec.box;
  std::vector<Complex> data(optics::half_size(box));
  optics::rfft2(box, g.image.data(), data.data());
  std::vector<float> ctf_values(data.size());
  optics::evaluate_ctf({}, defocused(), box, g.spec.pixel_size, ctf_values);
  const model::SpectralModel spectral(box, box / 2, 1);
  const std::int64_t group = 0;
  model::BatchView batch;
  batch.size = 1;
  batch.coordinates = g.coordinates.data();
  batch.rotations = g.rotation.data();
  batch.shifts = g.shift.data();
  batch.spectra = data.data();
  batch.ctf = ctf_values.data();
  batch.groups = &group;
  float score = 0;
  model::LikelihoodOutput output;
  output.log_likelihood = &score;
  output.coordinate_gradient = g.gradient.data();
  for (auto _ : state) {
    model::evaluate_likelihood(g.spec, g.amplitudes, spectral, {}, batch, output);
    benchmark::ClobberMemory();
  }
}

}  // namespace

BENCHMARK(forward_fft)->Arg(64)->Arg(128)->Unit(benchmark::kMicrosecond);
BENCHMARK(inverse_fft)->Arg(64)->Arg(128)->Unit(benchmark::kMicrosecond);
BENCHMARK(ctf)->Arg(64)->Arg(128)->Unit(benchmark::kMicrosecond);
BENCHMARK(likelihood)->Args({200, 64})->Args({1200, 128})->Unit(benchmark::kMicrosecond);

BENCHMARK_MAIN();
