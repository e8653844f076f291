#pragma once
#include <memory>
#include <vector>

#include "cryoscape/latent/network.hpp"

namespace cryoscape::latent {

/// Posterior of bits in groups, each given the groups before it (Rolfe 2017): the logits of group g are the
/// encoder's plus what a network makes of the encoder's logits and of the earlier bits ζ. Starts as
/// independent bits. Groups are as equal as they can be.
class BitGroups : public torch::nn::Module {
 public:
  BitGroups(std::int64_t bits, int groups, std::uint64_t seed);
  int count() const { return static_cast<int>(networks_.size()) + 1; }
  std::int64_t first(int group) const { return bits_ * group / count(); }
  std::int64_t size(int group) const { return first(group + 1) - first(group); }
  /// Logits (B, size) of a group from the encoder's (B, bits) and the earlier bits (B, first), in [0, 1].
  torch::Tensor logits(int group, const torch::Tensor& encoder, const torch::Tensor& earlier) const;
  /// Number (bits) of the group that each bit is in.
  torch::Tensor group_of_bits() const;

 private:
  std::int64_t bits_;
  std::vector<std::shared_ptr<Network>> networks_;  ///< of the groups from the second on
};

}  // namespace cryoscape::latent
