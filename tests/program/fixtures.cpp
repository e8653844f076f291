#include "fixtures.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numbers>

#include "cryoscape/io/mrc.hpp"
#include "cryoscape/util/files.hpp"

namespace cryoscape::program {
namespace fs = std::filesystem;
namespace {

/// Removes everything at the end, unless a test failed.
class Cleaner : public testing::Environment {
 public:
  void TearDown() override {
    if (!testing::UnitTest::GetInstance()->Failed()) fs::remove_all(root());
  }
};
const auto* const kCleaner = testing::AddGlobalTestEnvironment(new Cleaner);

/// Lines of standard error, without the warning that a busy machine may bring about.
std::vector<std::string> messages(const Result& result) {
  auto all = lines(result.err);
  std::erase_if(all,
                [](const std::string& line) { return line.starts_with("warning: matrix products run at"); });
  return all;
}

void expect_parts(const std::string& line, std::initializer_list<std::string> parts) {
  EXPECT_TRUE(line.starts_with("cryoscape: ")) << line;
  for (const auto& part : parts)
    EXPECT_NE(line.find(part), std::string::npos) << "no '" << part << "' in: " << line;
}

}  // namespace

fs::path root() { return fs::path(testing::TempDir()) / fmt::format("cryoscape_program_{}", getpid()); }

fs::path test_folder() {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  const auto folder = root() / (std::string(test->test_suite_name()) + "_" + test->name());
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder;
}

void write_helix(const fs::path& path, int models, double offset) {
  std::string text;
  for (int m = 0; m < models; ++m) {
    text += fmt::format("MODEL     {:4d}\n", m + 1);
    for (int i = 0; i < kResidues; ++i) {
      const double angle = i * 100 * std::numbers::pi / 180;
      const double bend = 0.4 * m * std::max(0, i - kResidues / 2);
      text += fmt::format("ATOM  {:5d}  CA  ALA A{:4d}    {:8.3f}{:8.3f}{:8.3f}  1.00  0.00           C\n",
                          i + 1, i + 1, 2.3 * std::cos(angle) + bend + offset, 2.3 * std::sin(angle),
                          1.5 * (i - 0.5 * (kResidues - 1)));
    }
    text += "ENDMDL\n";
  }
  replace_text_file(path, text);
}

const SmallSet& small_set() {
  static const SmallSet set = [] {
    SmallSet made{root() / "set"};
    write_helix(made.model(), 3);
    const auto result = run({"simulate", made.model(), "--out", made.folder, "--particles",
                             std::to_string(kParticles), "--box", std::to_string(kBox), "--pixel-size", "3",
                             "--snr", "0.5", "--populations", "1:0.6,3:0.4"});
    if (result.exit_code != 0) throw std::runtime_error("simulate failed: " + result.err);
    return made;
  }();
  return set;
}

SmallSet copy_of_small_set(const fs::path& folder) {
  fs::create_directories(folder);
  fs::copy(small_set().folder, folder, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  return {folder};
}

std::vector<std::string> train_arguments(const std::string& particles, const std::string& model,
                                         const std::string& out, const std::vector<std::string>& more) {
  std::vector<std::string> arguments{"train", particles, "--model", model, "--out", out};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const std::pair<const char*, const char*> defaults[] = {
      {"--epochs", "2"}, {"--batch", "16"}, {"--latent-dim", "2"}};
  for (const auto& [option, value] : defaults)
    if (std::find(more.begin(), more.end(), option) == more.end()) {
      arguments.emplace_back(option);
      arguments.emplace_back(value);
    }
  return arguments;
}

const fs::path& small_run() {
  static const fs::path made = [] {
    const auto folder = root() / "run";
    const auto result = run(train_arguments(small_set().star(), small_set().model(), folder));
    if (result.exit_code != 0) throw std::runtime_error("train failed: " + result.err);
    return folder;
  }();
  return made;
}

void edit_star(const fs::path& path, const std::function<void(Tables&)>& edit) {
  auto tables = io::read_star_tables(path);
  edit(tables);
  replace_file_stream(path, [&](std::ostream& stream) {
    for (const auto& [table, rows] : tables) {
      io::write_star_head(stream, table);
      for (const auto& row : rows) {
        const std::vector<std::string_view> fields(row.begin(), row.end());
        io::write_star_row(stream, fields);
      }
      stream << '\n';
    }
  });
}

void drop_column(Tables& tables, const std::string& label) {
  for (auto& [table, rows] : tables) {
    const int column = table.column(label);
    if (column < 0) continue;
    table.columns.erase(table.columns.begin() + column);
    for (auto& row : rows) row.erase(row.begin() + column);
  }
}

void edit_images(const fs::path& stack, const std::function<void(int, std::vector<float>&)>& edit) {
  io::StackReader reader;
  const auto header = reader.header(stack);
  std::vector<std::vector<float>> images(static_cast<std::size_t>(header.nz));
  for (int i = 0; i < header.nz; ++i) {
    images[i].resize(static_cast<std::size_t>(header.nx) * header.ny);
    reader.read(stack, i, images[i]);
    edit(i, images[i]);
  }
  io::StackWriter writer(stack, header.nx, header.pixel_size);
  for (const auto& image : images) writer.append(image);
  writer.close();
}

std::map<std::string, std::string> snapshot(const fs::path& folder) {
  std::map<std::string, std::string> files;
  if (!fs::exists(folder)) return files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && entry.path().filename() != "log.txt")
      files[fs::relative(entry.path(), folder).string()] = read_text_file(entry.path());
  return files;
}

void expect_one_line(const Result& result, int exit_code, std::initializer_list<std::string> parts) {
  EXPECT_EQ(messages(result).size(), 1u) << result.err;
  EXPECT_EQ(result.out, "");
  expect_last_line(result, exit_code, parts);
}

void expect_last_line(const Result& result, int exit_code, std::initializer_list<std::string> parts) {
  EXPECT_EQ(result.exit_code, exit_code) << result.err;
  EXPECT_FALSE(result.signalled);
  const auto all = messages(result);
  ASSERT_FALSE(all.empty());
  for (std::size_t i = 0; i + 1 < all.size(); ++i) EXPECT_FALSE(all[i].starts_with("cryoscape: ")) << all[i];
  expect_parts(all.back(), parts);
}

void expect_success(const Result& result) {
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_FALSE(result.signalled);
}

}  // namespace cryoscape::program
