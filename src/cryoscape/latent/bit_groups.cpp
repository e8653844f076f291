#include "cryoscape/latent/bit_groups.hpp"

#include <string>

namespace cryoscape::latent {
namespace {

constexpr std::int64_t kHidden = 64;

}  // namespace

BitGroups::BitGroups(std::int64_t bits, int groups, std::uint64_t seed) : bits_(bits) {
  auto generator = torch::make_generator<at::CPUGeneratorImpl>(seed);
  networks_.resize(static_cast<std::size_t>(groups) - 1);
  for (int g = 1; g < groups; ++g)
    networks_[static_cast<std::size_t>(g) - 1] =
        register_module("group" + std::to_string(g),
                        std::make_shared<Network>(std::vector{bits + first(g), kHidden, size(g)}, generator));
}

torch::Tensor BitGroups::logits(int group, const torch::Tensor& encoder, const torch::Tensor& earlier) const {
  const auto own = encoder.narrow(1, first(group), size(group));
  if (group == 0) return own;
  const auto& network = *networks_[static_cast<std::size_t>(group) - 1];
  return own + network.forward(torch::cat({encoder, 2 * earlier - 1}, 1));
}

torch::Tensor BitGroups::group_of_bits() const {
  std::vector<torch::Tensor> parts;
  for (int g = 0; g < count(); ++g) parts.push_back(torch::full({size(g)}, static_cast<std::int64_t>(g)));
  return torch::cat(parts);
}

}  // namespace cryoscape::latent
