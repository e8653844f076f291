#include "cryoscape/landscape/decode.hpp"

#include <fmt/format.h>

#include <numeric>
#include <ostream>

#include "cryoscape/io/atomic_model.hpp"
#include "cryoscape/landscape/conformations.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/files.hpp"

namespace cryoscape::landscape {
namespace {

constexpr std::size_t kMostModels = 1000;

/// Structures in the model file's frame, batch by batch.
void stream_placed(const training::Run& run, const Conformations& conformations,
                   const std::function<void(std::span<const float>)>& take) {
  std::vector<std::size_t> all(conformations.particles());
  std::iota(all.begin(), all.end(), std::size_t{0});
  const auto& centre = run.data.grid.centre;
  conformations.stream(all, "decode", [&](std::size_t, std::span<const float> structures) {
    std::vector<float> placed(structures.size());
    for (std::size_t i = 0; i < placed.size(); ++i)
      placed[i] = structures[i] + static_cast<float>(centre[i % 3]);
    take(placed);
  });
}

/// Head of an NPY file, version 1.0, of little-endian float32 in C order, padded to 64 bytes.
std::string npy_head(std::size_t rows, std::size_t beads) {
  auto text = fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}, 3), }}", rows, beads);
  constexpr std::size_t kFixed = 10, kAlignment = 64;
  text.append((kAlignment - (kFixed + text.size() + 1) % kAlignment) % kAlignment, ' ');
  text += '\n';
  std::string head("\x93NUMPY\x01\x00", 8);
  head += static_cast<char>(text.size() & 0xFF);
  head += static_cast<char>(text.size() >> 8);
  return head + text;
}

void write_array(const training::Run& run, const Conformations& conformations,
                 const std::filesystem::path& out) {
  replace_file_stream(out, [&](std::ostream& stream) {
    stream << npy_head(conformations.particles(), conformations.length() / 3);
    stream_placed(run, conformations, [&](std::span<const float> placed) {
      stream.write(reinterpret_cast<const char*>(placed.data()),
                   static_cast<std::streamsize>(placed.size_bytes()));
    });
  });
}

void write_model_file(const training::Run& run, const Conformations& conformations,
                      const std::filesystem::path& out) {
  if (conformations.particles() > kMostModels)
    fail("{} conformations are too many for the models of {} (at most {}): write them to a .npy file",
         conformations.particles(), out.string(), kMostModels);
  const auto& usable = conformations.usable();
  for (std::size_t i = 0; i < conformations.particles(); ++i)
    if (i >= usable.size() || usable[i] != i)
      fail("row {} of the latents is not finite, and a model file has no place for it: write a .npy file",
           i + 1);
  io::ModelSeries series{&run.data.beads.records, {}, {}};
  stream_placed(run, conformations, [&](std::span<const float> placed) {
    for (std::size_t begin = 0; begin < placed.size(); begin += conformations.length()) {
      const auto one = placed.subspan(begin, conformations.length());
      series.positions.emplace_back(one.begin(), one.end());
    }
  });
  io::write_models(out, series);
}

}  // namespace

std::size_t decode_to_file(training::Run& run, const DecodeRequest& request) {
  const auto extension = request.out.extension().string();
  if (extension != ".npy" && extension != ".cif" && extension != ".pdb")
    throw UsageError(fmt::format("--out is '{}', but must end in .npy, .cif or .pdb", request.out.string()));
  if (std::filesystem::exists(request.out) && !request.force)
    fail("{} exists already: choose another --out, or give --force", request.out.string());
  const auto conformations =
      request.latents
          ? Conformations(*run.model, io::read_npy_matrix(*request.latents), request.latents->string())
          : open_conformations(run);
  if (conformations.particles() == 0)
    fail("{} has no rows: there is nothing to decode", request.latents->string());
  extension == ".npy" ? write_array(run, conformations, request.out)
                      : write_model_file(run, conformations, request.out);
  return conformations.particles();
}

}  // namespace cryoscape::landscape
