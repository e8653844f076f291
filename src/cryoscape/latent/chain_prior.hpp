#pragma once
#include "cryoscape/latent/bit_prior.hpp"
#include "cryoscape/latent/negative_sampler.hpp"

namespace cryoscape::latent {

/// Boltzmann machines of bits that learn by persistent chains (Tieleman 2008) with centred gradients
/// (Melchior, Fischer, Wiskott 2016). Their units are the latent bits and then hidden ones; couplings W join
/// the first rows(W) units with the last columns(W). Negative phases may come from an Ising sampler instead.
/// The learning rate falls with the steps taken.
class ChainPrior : public BitPrior {
 public:
  torch::Tensor contrast(const Posterior& posterior, const Sample& sample,
                         torch::Generator& generator) override;
  torch::Tensor sample(std::int64_t n, torch::Generator& generator) override;
  std::unique_ptr<torch::optim::Optimizer> make_optimiser() override;
  /// One per hidden unit that is coupled to bits; without hidden units a few.
  std::int64_t motions() const override { return hidden() ? w_.size(1) : 8; }

  /// Sweeps of chains, detached.
  virtual torch::Tensor advance(const torch::Tensor& chains, int sweeps,
                                torch::Generator& generator) const = 0;
  /// Energies (n) of units (n, units).
  virtual torch::Tensor joint_energy(const torch::Tensor& units) const = 0;
  /// Log odds (n, units) of every unit given the others.
  virtual torch::Tensor fields(const torch::Tensor& units) const = 0;

  /// All units as a machine with pair couplings, detached.
  virtual DenseUnits joint_machine() const = 0;

  /// Sets biases (units) and couplings, shaped as they are.
  void set_parameters(const torch::Tensor& biases, const torch::Tensor& couplings);
  const torch::Tensor& biases() const { return b_; }
  const torch::Tensor& couplings() const { return w_; }
  const torch::Tensor& chains() const { return chains_; }
  /// The states (n · k, units) of chains, k of every one.
  virtual torch::Tensor states_of(const torch::Tensor& chains) const { return chains; }

 protected:
  struct Shape {
    std::int64_t units, rows, columns;  ///< of the couplings
    std::int64_t chains;                ///< how many
    std::int64_t states = 1;            ///< of every chain
  };
  ChainPrior(const PriorOptions& options, Shape shape, std::uint64_t seed);

  /// Units (B, units) of bits (B, bits): hidden ones by their means.
  virtual torch::Tensor completed(const torch::Tensor& bits) const { return bits; }
  /// Units (B, units) of the positive phase, whose products average to those of data.
  virtual torch::Tensor positive_phase(const Posterior& posterior, const Sample& sample) const {
    return positive_bits(posterior, sample);
  }
  /// Chains that start from states (n, units).
  virtual torch::Tensor chains_from(const torch::Tensor& states) const { return states; }
  /// The learning rate over what it is by the curvature alone.
  virtual double pace() const { return 1; }
  /// Samples (n, units) of the model, the chains moved on.
  virtual torch::Tensor negative_phase(torch::Generator& generator);
  /// The part of a matrix shaped as the couplings that is one.
  virtual torch::Tensor coupled(const torch::Tensor& matrix) const { return matrix; }
  void describe(nlohmann::json& record) override;
  std::vector<std::string> warnings(const nlohmann::json& record) const override;
  void start_from(const torch::Tensor& means, const torch::Tensor& deviations,
                  torch::Generator& generator) override;
  /// Bits that take part in the same motions are coupled, or every hidden unit to the bits of one motion, in
  /// all half as strongly as would be critical.
  void start_along(const torch::Tensor& participation, const torch::Tensor& means,
                   const torch::Tensor& deviations, torch::Generator& generator) override;

  torch::Tensor b_, w_;   ///< (units), (rows, columns)
  torch::Tensor chains_;  ///< (n, units · states)
  int sweeps_;
  NegativeSampler sampler_;

 private:
  bool hidden() const { return b_.size(0) > bits(); }
  torch::Tensor centred_correlation(const torch::Tensor& units) const;
  torch::Tensor first_of(const torch::Tensor& units) const { return units.narrow(-1, 0, w_.size(0)); }
  torch::Tensor last_of(const torch::Tensor& units) const {
    return units.narrow(-1, units.size(-1) - w_.size(1), w_.size(1));
  }
  torch::Tensor leading_mode() const;
  void report_mixing(nlohmann::json& record) const;

  torch::Tensor offsets_;          ///< (units)
  torch::Tensor steps_;            ///< taken
  torch::Tensor positive_energy_;  ///< moving average
};

}  // namespace cryoscape::latent
