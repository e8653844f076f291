#include "cryoscape/latent/chain_prior.hpp"

#include <algorithm>
#include <cmath>

#include "cryoscape/latent/chain_sampler.hpp"
#include "cryoscape/latent/ising_beta.hpp"
#include "cryoscape/latent/noise.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::latent {
namespace {

constexpr double kWeightDecay = 1e-4, kOffsetRate = 0.01;
constexpr double kDecaySteps = 5000, kLastRate = 0.1;
constexpr double kNotMixed = 1.05;       ///< split-R̂ that a warning is worth
constexpr double kCriticalCoupling = 4;  ///< of bits: the singular value at which mean fields split
constexpr double kNoCoupling = 1e-6;
constexpr std::int64_t kReportChains = 64;
constexpr int kReportSweeps = 200;

/// Rate of the first steps. The curvature is at most that of units all coupled to each other, in the order of
/// (units/8)²; larger machines seldom come near.
double learning_rate(double units) { return std::min(0.1, std::max(38 / (units * units), 0.64 / units)); }

}  // namespace

ChainPrior::ChainPrior(const PriorOptions& options, Shape shape, std::uint64_t seed)
    : BitPrior(options), sweeps_(options.sweeps), sampler_(options.sampler) {
  auto generator = torch::make_generator<at::CPUGeneratorImpl>(seed);
  b_ = register_parameter("b", torch::zeros({shape.units}));
  w_ = register_parameter("w", 0.01 * torch::randn({shape.rows, shape.columns}, generator));
  const auto start = bernoulli_bits(torch::full({shape.chains, 1, shape.units}, 0.5), generator);
  chains_ = register_buffer("chains", start.repeat({1, shape.states, 1}).view({shape.chains, -1}));
  offsets_ = register_buffer("offsets", torch::full({shape.units}, 0.5));
  steps_ = register_buffer("steps", torch::zeros({1}));
  positive_energy_ = register_buffer("positive_energy", torch::zeros({1}));
}

/// −∂⟨E⟩/∂W with centred variables.
torch::Tensor ChainPrior::centred_correlation(const torch::Tensor& units) const {
  const auto c = units - offsets_;
  return first_of(c).t().mm(last_of(c)) / static_cast<double>(units.size(0));
}

torch::Tensor ChainPrior::negative_phase(torch::Generator& generator) {
  chains_.copy_(sampler_.given() ? sampler_.draw(joint_machine(), chains_.size(0), generator)
                                 : advance(chains_, sweeps_, generator));
  return states_of(chains_);
}

torch::Tensor ChainPrior::contrast(const Posterior& posterior, const Sample& sample,
                                   torch::Generator& generator) {
  torch::Tensor by_b, by_w;
  {
    torch::NoGradGuard no_grad;
    const auto positive = positive_phase(posterior, sample), negative = negative_phase(generator);
    const auto difference = positive.mean(0) - negative.mean(0);
    offsets_.mul_(1 - kOffsetRate).add_(0.5 * kOffsetRate * (positive.mean(0) + negative.mean(0)));
    // The centred gradient, written for the plain biases b = b' − (W o₂, Wᵀ o₁): a step of W leaves the mean
    // fields where they are.
    by_w = coupled(centred_correlation(positive) - centred_correlation(negative));
    by_b = difference.clone();
    first_of(by_b).sub_(by_w.mv(last_of(offsets_)));
    last_of(by_b).sub_(by_w.t().mv(first_of(offsets_)));
    by_w.sub_(coupled(w_), kWeightDecay);  // here, so that its share does not change with the rate
    const double energy = joint_energy(positive).mean().item<double>();
    positive_energy_.mul_(1 - kOffsetRate).add_(kOffsetRate * energy);
    if (steps_.item<double>() == 0) positive_energy_.fill_(energy);
    const double rate = std::max(kLastRate, 1 / (1 + steps_.item<double>() / kDecaySteps));
    by_w.mul_(rate), by_b.mul_(rate);
    steps_.add_(1);
    observe(posterior, sample);
  }
  return -(w_ * by_w).sum() - b_.dot(by_b);
}

torch::Tensor ChainPrior::sample(std::int64_t n, torch::Generator& generator) {
  torch::NoGradGuard no_grad;
  const auto start = torch::randint(chains_.size(0), {n}, generator, torch::kInt64).to(chains_.device());
  const auto states = states_of(advance(chains_.index({start}), kEquilibrationSweeps, generator));
  return states.view({n, -1, states.size(1)}).select(1, 0).narrow(1, 0, bits());
}

std::unique_ptr<torch::optim::Optimizer> ChainPrior::make_optimiser() {
  const double rate = pace() * learning_rate(static_cast<double>(b_.size(0)));
  return std::make_unique<torch::optim::SGD>(std::vector<torch::Tensor>{b_, w_},
                                             torch::optim::SGDOptions(rate));
}

void ChainPrior::start_from(const torch::Tensor& means, const torch::Tensor&, torch::Generator& generator) {
  torch::NoGradGuard no_grad;
  const auto probabilities = means.narrow(1, 0, bits()).mean(0).to(b_.options()).clamp(0, 1);
  // What the couplings add to the mean fields of the bits is taken off their biases.
  const auto units = completed(probabilities.unsqueeze(0));
  const auto from_couplings = (fields(units).squeeze(0) - b_).narrow(0, 0, bits());
  b_.narrow(0, 0, bits()).copy_(starting_logits(probabilities) - from_couplings);
  offsets_.copy_(units.squeeze(0));
  chains_.copy_(chains_from(bernoulli_bits(units.expand({chains_.size(0), units.size(1)}), generator)));
}

void ChainPrior::start_along(const torch::Tensor& participation, const torch::Tensor& means,
                             const torch::Tensor& deviations, torch::Generator& generator) {
  torch::NoGradGuard no_grad;
  const auto a = participation.narrow(0, 0, bits()).to(w_.options());
  w_.zero_();
  if (hidden())
    w_.narrow(0, 0, bits()).narrow(1, 0, a.size(1)).copy_(a);
  else
    w_.copy_(coupled(a.narrow(0, 0, w_.size(0)).mm(a.narrow(0, bits() - w_.size(1), w_.size(1)).t())));
  const auto strength = torch::linalg_matrix_norm(joint_machine().couplings, 2).clamp_min(kNoCoupling);
  w_.mul_(kCriticalCoupling / 2 / strength);
  if (hidden()) {
    // Hidden units start undecided.
    const auto q = means.narrow(1, 0, bits()).mean(0).to(b_.options());
    auto fields = b_.narrow(0, b_.size(0) - w_.size(1), w_.size(1));
    fields.copy_(-q.matmul(w_.narrow(0, 0, bits())));
  }
  start_from(means, deviations, generator);
}

void ChainPrior::set_parameters(const torch::Tensor& biases, const torch::Tensor& couplings) {
  torch::NoGradGuard no_grad;
  b_.copy_(biases);
  w_.copy_(couplings);
}

/// The direction of the units (units) that the couplings pull most.
torch::Tensor ChainPrior::leading_mode() const {
  const auto [u, s, v] = torch::linalg_svd(coupled(w_.detach()), false);
  auto mode = torch::zeros_like(b_);
  first_of(mode).add_(u.select(1, 0));
  last_of(mode).add_(v.select(0, 0));
  return mode;
}

void ChainPrior::report_mixing(nlohmann::json& record) const {
  auto generator = torch::make_generator<at::CPUGeneratorImpl>(kAnnealingSeed);
  auto chains = chains_.narrow(0, 0, std::min(kReportChains, chains_.size(0)));
  const auto mode = leading_mode();
  const auto per_chain = [&](const torch::Tensor& values) {
    return values.view({chains.size(0), -1}).mean(1);
  };
  std::vector<torch::Tensor> energies, modes;
  for (int s = 0; s < kReportSweeps; ++s) {
    chains = advance(chains, 1, generator);
    const auto states = states_of(chains);
    energies.push_back(per_chain(joint_energy(states)));
    modes.push_back(per_chain(states.mv(mode)));
  }
  record_mixing(record, "energy", mixing_of(energies));
  record_mixing(record, "mode", mixing_of(modes));
  const auto states = states_of(chains_);
  const auto alignment = (fields(states) * (2 * states - 1)).to(torch::kCPU, torch::kFloat32).contiguous();
  record["beta_effective"] =
      fit_beta({alignment.data_ptr<float>(), static_cast<std::size_t>(alignment.numel())},
               static_cast<std::size_t>(states.size(1)))
          .value;
}

void ChainPrior::describe(nlohmann::json& record) {
  torch::NoGradGuard no_grad;
  record["singular_values"] = values_of(torch::linalg_svdvals(coupled(w_)));
  record["negative_energy"] = joint_energy(states_of(chains_)).mean().item<double>();
  record["positive_energy"] = positive_energy_.item<double>();
  report_mixing(record);
  sampler_.record(record);
}

std::vector<std::string> ChainPrior::warnings(const nlohmann::json& record) const {
  auto lines = BitPrior::warnings(record);
  const double worst = std::max(record["energy_r_hat"].get<double>(), record["mode_r_hat"].get<double>());
  if (worst > kNotMixed)
    lines.push_back(fmt::format("chains are out of equilibrium (split-R̂ {:.2f}): raise --sweeps, now {}",
                                worst, sweeps_));
  return lines;
}

}  // namespace cryoscape::latent
