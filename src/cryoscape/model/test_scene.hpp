#pragma once
#include <numbers>
#include <vector>

#include "cryoscape/model/heterogeneity_model.hpp"
#include "cryoscape/model/image_likelihood.hpp"
#include "cryoscape/model/spectral_model.hpp"
#include "cryoscape/optics/ctf.hpp"
#include "cryoscape/optics/spectrum.hpp"
#include "cryoscape/projection/reference.hpp"
#include "cryoscape/torch.hpp"

/// Random beads with poses, CTFs and images for this room's tests, and the model of an image in float64
/// libtorch, written independently of the kernels.
namespace cryoscape::model {

inline torch::Tensor random_rotations(std::int64_t n) {
  auto q = std::get<0>(torch::linalg_qr(torch::randn({n, 3, 3})));
  q.select(2, 2).mul_(torch::det(q).sign().view({-1, 1}));
  return q.contiguous();
}

/// A gain and a noise power of every shell, put into a SpectralModel: curves (groups, shells).
inline SpectralModel spectral_of(int box, int max_shell, const torch::Tensor& gain,
                                 const torch::Tensor& power) {
  const auto groups = gain.size(0);
  SpectralModel spectral(box, max_shell, static_cast<int>(groups));
  auto state = spectral.state();
  for (std::int64_t i = 0; i < groups * spectral.shells(); ++i) {
    state[4 + 6 * i] = gain.reshape(-1)[i].item<double>();
    state[5 + 6 * i] = power.reshape(-1)[i].item<double>();
  }
  spectral.set_state(state);
  return spectral;
}

struct TestScene {
  projection::ProjectionSpec spec;
  int max_shell;
  torch::Tensor amplitudes, coordinates, rotations, shifts, ctf, spectra, groups;
  torch::Tensor gain, power;  ///< (groups, shells) float64
  torch::Tensor wide_ctf;     ///< undefined: CTFs act within the image's box
  std::vector<optics::CtfParameters> parameters;

  TestScene(int box, int shells, int batch, int beads, int optics_groups, int seed) : max_shell(shells) {
    torch::manual_seed(seed);
    spec.box = box, spec.pixel_size = 2.2f, spec.sigma = 3.0f;
    amplitudes = 10 + 15 * torch::rand({beads});
    coordinates = 0.13 * box * spec.pixel_size * torch::randn({batch, beads, 3});
    rotations = random_rotations(batch);
    shifts = 2 * torch::randn({batch, 2});
    groups = torch::arange(batch, torch::kInt64).remainder(optics_groups);
    ctf = torch::empty({batch, box, box / 2 + 1});
    const auto u = 8000 + 6000 * torch::rand({batch});
    for (int i = 0; i < batch; ++i) {
      optics::CtfParameters p;
      p.defocus_u = u[i].item<float>(), p.defocus_v = p.defocus_u - 900,
      p.defocus_angle = 0.4f * static_cast<float>(i), p.b_factor = 20;
      parameters.push_back(p);
      evaluate_ctf(i, box, ctf);
    }
    const auto f = torch::arange(box / 2 + 1, torch::kFloat64).view({1, -1}) / (box / 2.0);
    const auto g = torch::arange(optics_groups, torch::kFloat64).view({-1, 1});
    gain = (0.9 + 0.3 * g) * torch::exp(-0.7 * f * f);
    power = static_cast<double>(box) * box * (0.6 + 0.2 * g + 1.5 / (1 + 20 * f * f));
    spectra = (1.4 * prediction() + noise(1)[0]).to(torch::kComplexFloat);
  }

  /// The same, but that CTFs act in a box of twice the size.
  TestScene widened() const {
    auto out = *this;
    out.wide_ctf = torch::empty({size(), 2 * box(), box() + 1});
    for (int i = 0; i < size(); ++i) out.evaluate_ctf(i, 2 * box(), out.wide_ctf);
    out.spectra = (1.4 * out.prediction() + out.noise(1)[0]).to(torch::kComplexFloat);
    return out;
  }

  /// CTF of particle i in a box of `side` pixels, into out[i].
  void evaluate_ctf(int i, int side, torch::Tensor& out) const {
    optics::evaluate_ctf({}, parameters[i], side, spec.pixel_size,
                         {out[i].data_ptr<float>(), static_cast<std::size_t>(out[i].numel())});
  }

  int size() const { return static_cast<int>(coordinates.size(0)); }
  int box() const { return spec.box; }
  SpectralModel spectral() const { return spectral_of(spec.box, max_shell, gain, power); }
  std::span<const float> bead_amplitudes() const {
    return {amplitudes.data_ptr<float>(), static_cast<std::size_t>(amplitudes.numel())};
  }

  BatchView view() const {
    BatchView v;
    v.size = size();
    v.coordinates = coordinates.data_ptr<float>(), v.rotations = rotations.data_ptr<float>(),
    v.shifts = shifts.data_ptr<float>();
    v.spectra = reinterpret_cast<const std::complex<float>*>(spectra.data_ptr<c10::complex<float>>());
    v.ctf = ctf.data_ptr<float>(), v.groups = groups.data_ptr<std::int64_t>();
    if (wide_ctf.defined()) v.wide_ctf = wide_ctf.data_ptr<float>();
    return v;
  }
  particles::Batch batch() const {
    particles::Batch b;
    b.indices = torch::arange(size(), torch::kInt64);
    b.images = torch::fft_irfft2(spectra, c10::IntArrayRef({box(), box()}));
    b.spectra = spectra, b.ctf = ctf, b.rotations = rotations, b.shifts = shifts, b.groups = groups;
    b.consumed = size();
    return b;
  }
  /// Some of the particles in another order.
  TestScene select(const std::vector<std::int64_t>& rows) const {
    auto out = *this;
    const auto index = torch::tensor(rows);
    for (auto* t :
         {&out.coordinates, &out.rotations, &out.shifts, &out.ctf, &out.spectra, &out.wide_ctf, &out.groups})
      if (t->defined()) *t = t->index_select(0, index).contiguous();
    return out;
  }

  /// Shell of every coefficient (D, D/2+1), and how many coefficients of the whole transform it stands for.
  torch::Tensor shell() const {
    const auto n = static_cast<std::int64_t>(box());
    const auto ky = (torch::arange(n, torch::kFloat64) + n / 2).remainder(n) - n / 2,
               kx = torch::arange(n / 2 + 1, torch::kFloat64);
    return torch::floor(torch::sqrt(ky.view({-1, 1}).pow(2) + kx.view({1, -1}).pow(2)) + 0.5)
        .to(torch::kInt64);
  }
  torch::Tensor multiplicity() const {
    auto m = torch::full({box(), box() / 2 + 1}, 2.0, torch::kFloat64);
    m.select(1, 0).fill_(1), m.select(1, box() / 2).fill_(1);
    return m;
  }
  /// Multiplicity of the coefficients that take part, 0 elsewhere.
  torch::Tensor counted() const {
    return multiplicity() * torch::logical_and(shell() >= 1, shell() <= max_shell).to(torch::kFloat64);
  }
  /// A curve (groups, shells) at every particle's coefficients (B, D, D/2+1).
  torch::Tensor spread(const torch::Tensor& curve) const {
    return curve.index_select(0, groups)
        .index_select(1, shell().clamp_max(box() / 2).view(-1))
        .view({-1, box(), box() / 2 + 1});
  }

  /// CTF · FFT of the projection, float64, of these coordinates (B, N, 3): the prediction without the gain.
  torch::Tensor bare_prediction(const torch::Tensor& x, bool window = true) const {
    const auto d = torch::kFloat64;
    const auto images =
        projection::project_reference(spec, amplitudes.to(d), x.to(d), rotations.to(d), shifts.to(d), window);
    if (!wide_ctf.defined()) return ctf.to(d) * torch::fft_rfft2(images);
    const auto n = static_cast<std::int64_t>(box());
    const auto padded = torch::constant_pad_nd(images, {n / 2, n / 2, n / 2, n / 2});
    const auto filtered =
        torch::fft_irfft2(wide_ctf.to(d) * torch::fft_rfft2(padded), c10::IntArrayRef({2 * n, 2 * n}));
    return torch::fft_rfft2(filtered.narrow(1, n / 2, n).narrow(2, n / 2, n));
  }
  torch::Tensor prediction() const { return spread(gain) * bare_prediction(coordinates); }

  /// Spectra (draws, B, D, D/2+1) of Gaussian noise with this scene's power: white images, filtered.
  torch::Tensor noise(std::int64_t draws) const {
    const auto white = torch::fft_rfft2(torch::randn({draws, size(), box(), box()}, torch::kFloat64)) /
                       static_cast<double>(box());
    return torch::sqrt(spread(power)) * white;
  }
};

/// Σ over an image's coefficients, (B).
inline torch::Tensor total(const torch::Tensor& values) { return values.sum({1, 2}); }

/// ⟨u, v⟩ = Σ_f Re(u* v) / S.
inline torch::Tensor product(const TestScene& s, const torch::Tensor& u, const torch::Tensor& v) {
  return total(s.counted() * torch::real(torch::conj(u) * v) / s.spread(s.power));
}

inline torch::Tensor log_normaliser(const TestScene& s) {
  return -0.5 * total(s.counted() * torch::log(2 * std::numbers::pi * s.spread(s.power)));
}

/// log N(x; m, S + sd² m mᵀ), the density with the contrast integrated out, by the matrix determinant lemma.
inline torch::Tensor reference_score(const TestScene& s, const torch::Tensor& x, double sd,
                                     bool window = true) {
  const auto m = s.spread(s.gain) * s.bare_prediction(x, window),
             residual = s.spectra.to(torch::kComplexDouble) - m;
  const auto along = product(s, residual, m), inflation = 1 + sd * sd * product(s, m, m);
  return log_normaliser(s) - 0.5 * (product(s, residual, residual) - sd * sd * along * along / inflation) -
         0.5 * torch::log(inflation);
}

/// Boxes, shells, groups and numbers of beads of all kinds, CTFs in the image's own box and in a wider one.
inline std::vector<TestScene> scenes() {
  std::vector<TestScene> all{{24, 12, 5, 20, 2, 1}, {32, 10, 3, 40, 1, 2}, {20, 7, 4, 6, 3, 3}};
  all.push_back(all[0].widened());
  all.push_back(all[2].widened());
  return all;
}

}  // namespace cryoscape::model
