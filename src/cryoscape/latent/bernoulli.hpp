#pragma once
#include "cryoscape/latent/bit_prior.hpp"

namespace cryoscape::latent {

/// Independent bits: E(z) = −b·z. The control that any Boltzmann machine is to beat: everything is exact.
class BernoulliPrior : public BitPrior {
 public:
  explicit BernoulliPrior(const PriorOptions& options);
  torch::Tensor energy(const torch::Tensor& z) const override { return -z.mv(b_); }
  torch::Tensor contrast(const Posterior& posterior, const Sample& sample,
                         torch::Generator& generator) override;
  torch::Tensor sample(std::int64_t n, torch::Generator& generator) override;
  LogPartition log_partition() override;
  std::unique_ptr<torch::optim::Optimizer> make_optimiser() override;

 protected:
  torch::Tensor expected_energy(const Posterior& posterior) const override;
  std::optional<DenseUnits> pairwise() const override;

 private:
  void start_from(const torch::Tensor& means, const torch::Tensor& deviations,
                  torch::Generator& generator) override;

  torch::Tensor b_;
};

}  // namespace cryoscape::latent
