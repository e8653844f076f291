#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <iostream>
#include <numbers>
#include <string>

#include "cryoscape/latent/prior.hpp"
#include "cryoscape/util/blas_threads.hpp"

// What priors cost and how well they learn a planted density.
//   priors_bench                                    milliseconds of a training step, every prior
//   priors_bench KIND [SEED [STEPS [WELLS [FILE]]]]  KL(true‖learned) of equal or unequal WELLS; FILE holds
//                                                    options of the prior as a configuration file does

using namespace cryoscape;
using namespace cryoscape::latent;

namespace {

constexpr std::int64_t kDim = 8, kBatch = 64, kSamples = 100000;
constexpr double kDeviation = 0.05;  ///< of the posteriors: small beside the wells

/// Isotropic wells of weights 0.6, 0.3 and 0.1, their centres √2·5 apart: at least 7 standard deviations of
/// equal wells. Unequal ones: 1, 2 and 1, and 10 √2 between centres.
struct Planted {
  torch::Tensor weights = torch::tensor({0.6, 0.3, 0.1}, torch::kFloat64);
  torch::Tensor widths, centres;

  explicit Planted(bool equal)
      : widths(torch::tensor({1.0, equal ? 1.0 : 2.0, 1.0}, torch::kFloat64)),
        centres((equal ? 5.0 : 10.0) * torch::eye(3, kDim, torch::kFloat64)) {}

  torch::Tensor sample(std::int64_t n, torch::Generator& g) const {
    const auto k = torch::multinomial(weights, n, true, g);
    return centres.index({k}) + widths.index({k}).unsqueeze(1) * torch::randn({n, kDim}, g, torch::kFloat64);
  }
  torch::Tensor log_density(const torch::Tensor& z) const {
    const auto square = (z.unsqueeze(1) - centres).pow(2).sum(2) / widths.pow(2);
    const auto d = static_cast<double>(kDim);
    return torch::logsumexp(weights.log() - d * widths.log() - 0.5 * square, 1) -
           0.5 * d * std::log(2 * std::numbers::pi);
  }
};

Posterior narrow_posterior(const Prior& prior, const torch::Tensor& z) {
  const auto reals = prior.dim() - prior.bits();
  return {prior.bits(), z,
          reals > 0 ? torch::full({z.size(0), reals}, std::log(kDeviation)) : torch::Tensor()};
}

void step(Prior& prior, torch::optim::Optimizer* optimiser, const Posterior& q, torch::Generator& g) {
  const auto sample = prior.draw(q, g);
  (prior.cross_entropy(q, sample) - entropy(q)).mean().backward();
  if (!optimiser) return;
  optimiser->zero_grad();
  if (const auto contrast = prior.contrast(q, sample, g); contrast.defined()) {
    contrast.backward();
    optimiser->step();
  }
}

/// Median processor time of draw, cross entropy and contrast with their gradients, and the optimiser's step.
double milliseconds_of_a_step(const PriorOptions& options) {
  auto prior = make_prior(options, 1);
  auto g = torch::make_generator<at::CPUGeneratorImpl>(1);
  const auto data = Planted(true).sample(2000, g).to(torch::kFloat32);
  const auto of = [&](const torch::Tensor& z) {
    return prior->bits() > 0 ? torch::rand({z.size(0), prior->dim()}, g) : z;
  };
  prior->after_warm_up(of(data), torch::full_like(of(data), kDeviation), g);
  const auto optimiser = prior->make_optimiser();
  std::vector<double> times;
  for (int i = 0; i < 60; ++i) {
    auto q = narrow_posterior(*prior, of(data.narrow(0, 0, kBatch)));
    q.mean.requires_grad_();
    const auto start = std::clock();
    step(*prior, optimiser.get(), q, g);
    times.push_back(1000.0 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
  }
  std::nth_element(times.begin(), times.begin() + 30, times.end());
  return times[30];
}

void learn(Prior& prior, const torch::Tensor& data, int steps, torch::Generator& g) {
  prior.after_warm_up(data, torch::full_like(data, kDeviation), g);
  const auto optimiser = prior.make_optimiser();
  if (!optimiser) return;
  for (int i = 0; i < steps; ++i) {
    const auto batch = data.index({torch::randint(data.size(0), {kBatch}, g, torch::kInt64)});
    const auto q = narrow_posterior(prior, batch);
    optimiser->zero_grad();
    prior.contrast(q, prior.draw(q, g), g).backward();
    optimiser->step();
  }
}

/// Importance sampling of log Z and KL with draws of the truth itself.
void recover(const PriorOptions& options, std::uint64_t seed, int steps, bool equal) {
  auto g = torch::make_generator<at::CPUGeneratorImpl>(seed);
  const Planted planted(equal);
  const auto data = planted.sample(kSamples, g).to(torch::kFloat32), test = planted.sample(kSamples, g);
  auto prior = make_prior(options, seed);
  const auto start = std::chrono::steady_clock::now();
  learn(*prior, data, steps, g);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  torch::NoGradGuard no_grad;
  const auto log_true = planted.log_density(test);
  const auto log_weights = -prior->energy(test.to(torch::kFloat32)).to(torch::kFloat64) - log_true;
  const auto n = static_cast<double>(kSamples);
  const double log_z = torch::logsumexp(log_weights, 0).item<double>() - std::log(n);
  const double effective = 1 / torch::softmax(log_weights, 0).pow(2).sum().item<double>();
  const double kl = log_z - log_weights.mean().item<double>();
  const auto own = prior->log_partition();
  std::cout
      << fmt::format(
             "{{\"prior\": \"{}\", \"seed\": {}, \"steps\": {}, \"wells\": \"{}\", \"kl\": {:.4f}, "
             "\"log_z\": "
             "{:.3f}, \"effective_samples\": {:.0f}, \"own_log_z\": [{:.3f}, {:.3f}], \"kl_by_own_log_z\": "
             "{:.4f}, \"seconds\": {:.1f}}}",
             options.kind, seed, steps, equal ? "equal" : "unequal", kl, log_z, effective, own.lower,
             own.upper, own.value - log_weights.mean().item<double>(), seconds)
      << std::endl;
  std::cerr << prior->diagnostics().dump() << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  torch::set_num_threads(1);
  set_blas_threads(1);
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const auto at = [&](std::size_t i, const char* otherwise) {
    return i < arguments.size() ? arguments[i] : std::string(otherwise);
  };
  PriorOptions options;
  options.dim = kDim;
  if (arguments.empty() || arguments[0].starts_with("--")) {
    for (const auto& kind : prior_kinds()) {
      options.kind = kind;
      std::cout << fmt::format("{:14} {:6.2f} ms per step of {} particles\n", kind,
                               milliseconds_of_a_step(options), kBatch);
    }
    return 0;
  }
  options.kind = arguments[0];
  if (arguments.size() > 4) {
    OptionSet set;
    options.declare(set);
    set.find("prior")->given = true;
    set.read_toml(arguments[4]);
    set.validate();
  }
  recover(options, std::stoull(at(1, "1")), std::stoi(at(2, "5000")), at(3, "equal") == "equal");
}
