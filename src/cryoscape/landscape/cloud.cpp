#include "cryoscape/landscape/cloud.hpp"

namespace cryoscape::landscape {

Cloud embed(const Conformations& conformations, const StructureSpace& space, const std::string& label) {
  Cloud cloud{conformations.usable(), {}};
  const auto k = static_cast<Eigen::Index>(space.size());
  cloud.points.resize(k, static_cast<Eigen::Index>(cloud.particles.size()));
  conformations.stream(cloud.particles, label, [&](std::size_t begin, std::span<const float> structures) {
    const auto c = project(space, structures);
    const auto count = static_cast<Eigen::Index>(c.size()) / k;
    cloud.points.middleCols(static_cast<Eigen::Index>(begin), count) =
        Eigen::Map<const Eigen::MatrixXf>(c.data(), k, count).cast<double>();
  });
  return cloud;
}

}  // namespace cryoscape::landscape
