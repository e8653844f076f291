#pragma once
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "cryoscape/io/npy.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/files.hpp"
#include "cryoscape/util/test_error.hpp"

namespace cryoscape::report {

/// A hand-made run's folder for tests, removed at the end.
class TestRun {
 public:
  explicit TestRun(const std::string& name) : folder(std::filesystem::path(testing::TempDir()) / name) {
    std::filesystem::remove_all(folder);
    write("config.toml",
          "# energy of the latents\nprior = \"mixture\"\n# network that moves the residues\ndecoder = "
          "\"residue\"\nencoder = \"mlp\"\n"
          "latent-dim = 2\nmodel = \"/data/<x>&.cif\"\n\n[run]\nversion = \"1.2.3\"\ncommand-line = "
          "\"cryoscape train '<p>&.star'\"\n"
          "particles = \"/data/<p>&.star\"\nbox = 64\npixel-size = 1.5\n");
  }
  ~TestRun() { std::filesystem::remove_all(folder); }

  void write(const std::string& name, const std::string& text) const {
    replace_text_file(folder / name, text);
  }

  /// Two epochs of two logged steps each.
  void write_training() const {
    const char* step =
        R"({{"step":{},"epoch":{},"images_per_second":812.4,"bound":{},"kl":{},"restraint":1.5,"chi_square":1.01,"beta":1)";
    const auto line = [&](int s, int e, double bound, const std::string& more) {
      return fmt::format(fmt::runtime(step), s, e, bound, 2.0 + s) + more + "}\n";
    };
    const auto end = [&](double bound) {
      return fmt::format(
          ",\"held_out_bound\":{},\"held_out_error\":0.25,\"prior\":{{\"log_partition\":3.5,\"log_partition_"
          "lower\":3.25,"
          "\"log_partition_upper\":3.75}}",
          bound);
    };
    write("train.jsonl", line(20, 0, -110, "") + line(40, 0, -100, "") + line(50, 1, -90, end(-104)) +
                             line(60, 1, -80, "") + line(80, 1, -70, "") + line(100, 2, -60, end(-75.5)));
  }

  /// `n` particles on two lines, states 1 and 2 in turn; every tenth unusable.
  void write_arrays(std::size_t n) const {
    std::vector<float> latents, widths(2 * n, 0.5f), components, states;
    for (std::size_t i = 0; i < n; ++i) {
      const bool usable = i % 10 != 9;
      const float u = static_cast<float>(i) / static_cast<float>(n), side = i % 2 ? 1.f : -1.f;
      latents.push_back(usable ? side : NAN), latents.push_back(usable ? u : NAN);
      components.push_back(usable ? 3 * side + u : NAN), components.push_back(usable ? u : NAN);
      states.push_back(usable ? 1.f + static_cast<float>(i % 2) : 0.f);
    }
    io::write_npy(folder / "latents.npy", {n, 2}, latents);
    io::write_npy(folder / "latent_std.npy", {n, 2}, widths);
    io::write_npy(folder / "components.npy", {n, 2}, components);
    io::write_npy(folder / "assignments.npy", {n, 1}, states);
  }

  void write_states() const {
    write("states.json",
          R"({"particles": 100, "continuous": false, "states": [
             {"id": 1, "population": 0.7, "population_error": 0.02, "energy": 0.0, "energy_error": null, "particles": 70, "model": "structures/states/state_01.cif"},
             {"id": 2, "population": 0.3, "population_error": 0.02, "energy": 0.847, "energy_error": 0.07, "particles": 30, "model": "structures/states/state_02.cif"}]})");
    write("structures/states/state_01.cif", "data_x\n");
    write(
        "landscape.json",
        R"({"components": [{"standard_deviation": 3.25, "share": 0.9}, {"standard_deviation": 0.5, "share": 0.1}]})");
  }

  /// Every part of landscape.json that figures show, with embedding and scores of `n` particles.
  void write_landscape(std::size_t n) const {
    write("landscape.json",
          R"({"components": [{"standard_deviation": 3.25, "share": 0.9}],
            "embedding": {"method": "umap", "trustworthiness": 0.875},
            "outliers": {"columns": ["evidence_ratio"], "default": "evidence_ratio", "threshold": 4.5, "share": 0.05},
            "minima": [{"id": 1, "energy": 0, "population": 0.9}, {"id": 2, "energy": 1.5, "population": 0.1}],
            "tree": [{"energy": 4, "nodes": [1, 2]}],
            "paths": [{"from": 1, "to": 2, "energies": [0, 4, 1.5], "positions_angstrom": [0, 2, 3]}],
            "free_energy": [
              {"variable": "pc1", "kind": "pc", "unit": "A", "source": "likelihood", "grid": [0, 1, 2, 3],
               "energy": [0, 2, 1, 2.5], "energy_interval": [[0, 1.5, 0.75, 2], [0.25, 2.5, 1.25, 3]],
               "bars": "with half-set decoders", "raw_histogram": [0.5, 0, 0.3, 0.2], "gaussian_factors": [0.5, 0, 1, 2],
               "basins": [{"position": 0, "minimum": 0, "population": 0.7, "population_error": 0.02},
                          {"position": 2, "minimum": 1, "population": 0.3, "population_error": 0.02}],
               "barriers": [{"from": 1, "to": 2, "energy": 2, "error": 0.3, "position": 1}]},
              {"variable": "pc1", "kind": "pc", "unit": "A", "source": "prior", "grid": [-1, 0, 1, 2],
               "energy": [null, 0, 1, 2], "raw_histogram": [0, 0.5, 0.3, 0.2]},
              {"variable": "pc1;pc2", "kind": "pc;pc", "unit": ["A", "A"], "source": "prior",
               "grid": [[0, 1, 2], [5, 6]], "energy": [0, 1, 3, 4, 1, null], "raw_histogram": [1, 0, 0, 0, 0, 0]}]})");
    std::vector<float> plane, scores;
    for (std::size_t i = 0; i < n; ++i) {
      const float u = static_cast<float>(i) / static_cast<float>(n);
      plane.push_back(u), plane.push_back(u * u);
      for (const float score : {100 * u, 1.f, 5 * u, 1.f, 1.f, 0.f}) scores.push_back(score);
    }
    io::write_npy(folder / "embedding.npy", {n, 2}, plane);
    io::write_npy(folder / "outliers.npy", {n, 6}, scores);
  }

  std::filesystem::path folder;
};

}  // namespace cryoscape::report
