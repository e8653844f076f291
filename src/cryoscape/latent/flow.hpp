#pragma once
#include "cryoscape/latent/network.hpp"
#include "cryoscape/latent/prior.hpp"
#include "cryoscape/latent/whitening.hpp"

namespace cryoscape::latent {

/// A normalising flow: whitened latents become a standard normal through coupling layers of monotonic splines
/// (Durkan et al. 2019). A layer's halves are told apart by one binary digit of a latent's number, the
/// digits in turn, so that any two latents meet and every one moves. Normalised; a standard normal until
/// after_warm_up.
class FlowPrior : public Prior {
 public:
  FlowPrior(const PriorOptions& options, std::uint64_t seed);
  std::int64_t dim() const override { return dim_; }
  torch::Tensor contrast(const Posterior& posterior, const Sample& sample,
                         torch::Generator& generator) override;
  torch::Tensor energy(const torch::Tensor& z) const override;
  torch::Tensor sample(std::int64_t n, torch::Generator& generator) override;
  LogPartition log_partition() override { return {}; }
  std::unique_ptr<torch::optim::Optimizer> make_optimiser() override;

 private:
  /// One layer: the latents it moves, those it leaves, and what they say about the splines. Column numbers
  /// are no buffers, for a module's change of type would make numbers with fractions of them.
  struct Coupling {
    torch::Tensor moved, left;
    torch::Tensor order;  ///< of the columns (moved, left), back to their places
    std::shared_ptr<Network> network;
  };
  Coupling make_coupling(std::int64_t layer, torch::Generator& generator);
  torch::Tensor spline_parameters_of(const Coupling& coupling, const torch::Tensor& left) const;
  void start_from(const torch::Tensor& means, const torch::Tensor& deviations,
                  torch::Generator& generator) override;
  bool active() const { return active_.item<float>() != 0; }

  std::int64_t dim_;
  std::shared_ptr<Whitening> whitening_;
  std::vector<Coupling> couplings_;
  torch::Tensor active_, steps_;
};

}  // namespace cryoscape::latent
