#include "cryoscape/particles/left_out.hpp"

#include <spdlog/spdlog.h>

namespace cryoscape::particles {
namespace {

constexpr std::size_t kReportedRows = 10;

}  // namespace

void warn_left_out(const ParticleSet& set, std::uint32_t particle, std::size_t number) {
  if (number > kReportedRows) return;
  spdlog::warn(
      "warning: particle {} (row {}) is left out: its pixels, or those of its background, are constant or "
      "not finite",
      image_name(set, particle), set.rows[particle] + 1);
  if (number == kReportedRows) spdlog::warn("warning: further particles that are left out are not listed");
}

}  // namespace cryoscape::particles
