#include "cryoscape/particles/particle_set.hpp"

#include <fmt/format.h>

#include <charconv>

#include "cryoscape/particles/readers.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::particles {

std::uint32_t StackIndex::add(std::string_view name) {
  if (last_ < set_.stack_names.size() && set_.stack_names[last_] == name) return last_;
  const auto [at, inserted] =
      index_.try_emplace(std::string(name), static_cast<std::uint32_t>(set_.stack_names.size()));
  if (inserted) set_.stack_names.emplace_back(name);
  return last_ = at->second;
}

ImageName parse_image_name(std::string_view name, const std::filesystem::path& path, std::size_t row) {
  ImageName image;
  const auto at = name.find('@');
  image.stack = at == std::string_view::npos ? name : name.substr(at + 1);
  for (const std::string_view suffix : {":mrcs", ":mrc"})
    if (image.stack.ends_with(suffix)) image.stack.remove_suffix(suffix.size());
  if (image.stack.starts_with('>')) image.stack.remove_prefix(1);
  if (image.stack.empty()) fail("{}: row {} names no image ('{}')", path.string(), row + 1, name);
  if (at == std::string_view::npos) return image;
  std::uint32_t number = 0;
  const auto result = std::from_chars(name.data(), name.data() + at, number);
  if (result.ec != std::errc() || result.ptr != name.data() + at || number == 0)
    fail("{}: row {} names image '{}' of a stack, but images count 1, 2, 3 …", path.string(), row + 1,
         name.substr(0, at));
  image.slice = number - 1;
  return image;
}

std::string format_image_name(std::string_view stack, std::uint32_t slice) {
  return fmt::format("{:06}@{}", std::uint64_t{slice} + 1, stack);
}

std::string image_name(const ParticleSet& set, std::size_t i) {
  const auto& p = set.particles[i];
  return format_image_name(set.stack_names[p.stack], p.slice);
}

ParticleSet read_particles(const std::filesystem::path& path, const ReadOptions& options) {
  std::error_code code;
  if (!std::filesystem::is_regular_file(path, code))
    fail("cannot open the particles {}: no such file", path.string());
  const auto extension = path.extension().string();
  if (extension != ".star" && extension != ".cs") fail("{} is neither a .star nor a .cs file", path.string());
  auto parsed = extension == ".star" ? read_relion(path) : read_cryosparc(path, options.passthrough);
  parsed.set.source = path;
  if (parsed.set.size() == 0) fail("{} holds no particles", path.string());
  select_particles(parsed, options);
  locate_stacks(parsed, options);
  return std::move(parsed.set);
}

}  // namespace cryoscape::particles
