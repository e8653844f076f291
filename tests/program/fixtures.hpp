#pragma once
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <vector>

#include "cryoscape/io/star.hpp"
#include "program_runner.hpp"

/// Small particle sets, runs and expectations for tests of the program.
namespace cryoscape::program {

constexpr int kBox = 24, kParticles = 60, kResidues = 24;

/// The folder of everything that this process makes; removed at the end unless a test failed.
std::filesystem::path root();

/// An empty folder of the running test's own.
std::filesystem::path test_folder();

/// A PDB file of CA models of one helix whose second half bends away, more from model to model; `offset`
/// moves it along x (Å).
void write_helix(const std::filesystem::path& path, int models, double offset = 0);

/// Particles of a helix in a folder.
struct SmallSet {
  std::filesystem::path folder;
  std::string star() const { return folder / "particles.star"; }
  std::string stack() const { return folder / "particles.mrcs"; }
  std::string model() const { return folder / "model.pdb"; }
};

/// Made once by `cryoscape simulate`: not to be changed.
const SmallSet& small_set();
/// A copy that a test may damage.
SmallSet copy_of_small_set(const std::filesystem::path& folder);

/// Arguments of a short training; `more` may set other epochs, batch and latent dimension.
std::vector<std::string> train_arguments(const std::string& particles, const std::string& model,
                                         const std::string& out, const std::vector<std::string>& more = {});
/// Made once by `cryoscape train` on the small set: not to be changed.
const std::filesystem::path& small_run();

/// Changes the tables of a STAR file.
using Tables = std::vector<io::StarData>;
void edit_star(const std::filesystem::path& path, const std::function<void(Tables&)>& edit);
void drop_column(Tables& tables, const std::string& label);

/// Values of every image of a stack changed in place.
void edit_images(const std::filesystem::path& stack,
                 const std::function<void(int image, std::vector<float>& pixels)>& edit);

/// Files of a folder and what they hold, log.txt aside.
std::map<std::string, std::string> snapshot(const std::filesystem::path& folder);

/// Expects the exit code and, as the only output, one line on standard error that holds `parts`.
void expect_one_line(const Result& result, int exit_code, std::initializer_list<std::string> parts);
/// The same where notes and warnings may come before that line.
void expect_last_line(const Result& result, int exit_code, std::initializer_list<std::string> parts);
void expect_success(const Result& result);

}  // namespace cryoscape::program
