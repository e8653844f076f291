#include "cryoscape/report/page.hpp"

#include "cryoscape/report/test_markup.hpp"
#include "cryoscape/report/test_run.hpp"

using namespace cryoscape;
using namespace cryoscape::report;

namespace {

std::string page_of(const TestRun& run) {
  write_report(run.folder);
  return read_text_file(run.folder / "report.html");
}

}  // namespace

TEST(Page, ShowsAWholeRun) {
  const TestRun run("page_whole");
  run.write_training(), run.write_states(), run.write_arrays(100);
  run.write("log.txt", "2026-01-02 03:04:05 warning: the model <x> is far off\n");
  const auto page = page_of(run);
  EXPECT_EQ(broken_tag(page), "");
  for (const char* name :
       {"bound", "terms", "components", "latents", "populations", "variance", "latent-widths"})
    EXPECT_TRUE(has(page, std::string("download=\"") + name + ".svg\"")) << name;
  for (const char* text :
       {"70.0 ± 2.0 %", "30.0 ± 2.0 %", "0.847 ± 0.070", "−75.50 ± 0.25 nats per particle",
        "812 images per second", "mixture", "1.2.3", "3.5 (between 3.25 and 3.75)", "100 (10 unusable)",
        "the model &lt;x&gt; is far off", "cryoscape train &#39;&lt;p&gt;&amp;.star&#39;",
        "/data/&lt;x&gt;&amp;.cif", "energy of the latents", "90.0 % of variance",
        "box 64 at 1.5 Å per pixel", "all 90 particles are drawn"})
    EXPECT_TRUE(has(page, text)) << text;
}

TEST(Page, LinksOnlyFilesThatExist) {
  const TestRun run("page_links");
  run.write_states();
  const auto page = page_of(run);
  EXPECT_TRUE(has(page, "<a href=\"structures/states/state_01.cif\">"));
  EXPECT_FALSE(has(page, "state_02.cif"));
}

TEST(Page, NeedsNoNetworkAndNoScripts) {
  const TestRun run("page_offline");
  run.write_training(), run.write_states(), run.write_arrays(100);
  auto page = page_of(run);
  EXPECT_FALSE(has(page, "<script"));
  EXPECT_FALSE(has(page, "<link"));
  EXPECT_FALSE(has(page, "@import"));
  EXPECT_FALSE(has(page, "url(http"));
  EXPECT_FALSE(has(page, "src="));
  EXPECT_FALSE(has(page, "href=\"http"));
}

TEST(Page, SaysWhichCommandMakesWhatIsAbsent) {
  const TestRun run("page_bare");
  auto page = page_of(run);
  EXPECT_EQ(broken_tag(page), "");
  EXPECT_TRUE(has(page, "cryoscape landscape " + run.folder.string()));
  EXPECT_TRUE(has(page, "No epoch of training"));
  EXPECT_TRUE(has(page, "no latents yet"));
  EXPECT_FALSE(has(page, "<svg"));

  run.write_training(), run.write_arrays(50);
  for (const char* name : {"components.npy", "assignments.npy"}) std::filesystem::remove(run.folder / name);
  page = page_of(run);
  EXPECT_EQ(broken_tag(page), "");
  EXPECT_TRUE(has(page, "no landscape yet"));
  EXPECT_TRUE(has(page, "Latent 1"));
  EXPECT_FALSE(has(page, "no latents yet"));
}

TEST(Page, DrawsASampleOfManyParticlesWithTheirDensity) {
  const TestRun run("page_many");
  run.write_arrays(20000);
  const auto page = page_of(run);
  EXPECT_EQ(broken_tag(page), "");
  EXPECT_TRUE(has(page, "3\u202F000 of 18\u202F000 particles are drawn"));
  EXPECT_TRUE(has(page, "enclose 30, 60 and 90 %"));
  EXPECT_LT(page.size(), 1500000u);
}

TEST(Page, OneDimensionIsAHistogram) {
  const TestRun run("page_line");
  std::vector<float> z;
  for (int i = 0; i < 50; ++i) z.push_back(0.1f * static_cast<float>(i));
  io::write_npy(run.folder / "latents.npy", {50, 1}, z);
  const auto page = page_of(run);
  EXPECT_EQ(broken_tag(page), "");
  EXPECT_TRUE(has(page, "Distribution of 50 particles along the latent"));
}

TEST(Page, DamagedLineIsReportedAndTheRestShown) {
  const TestRun run("page_damaged");
  run.write_training();
  const auto lines = read_text_file(run.folder / "train.jsonl");
  run.write("train.jsonl", lines + "{\"step\": 120, \"ep");
  const auto page = page_of(run);
  EXPECT_TRUE(has(page, "train.jsonl: 1 damaged line left out, first line 7"));
  EXPECT_TRUE(has(page, "download=\"bound.svg\""));
}

TEST(Page, AFailureKeepsTheOldPage) {
  const TestRun run("page_failure");
  const auto before = page_of(run);
  run.write("states.json", "broken");
  const auto message = error_of([&] { write_report(run.folder); });
  EXPECT_NE(message.find("states.json is damaged"), std::string::npos) << message;
  EXPECT_EQ(read_text_file(run.folder / "report.html"), before);
  EXPECT_NE(error_of([&] { write_report(run.folder / "none"); }).find("is not a run"), std::string::npos);
}

TEST(Page, FiguresStandInTheirFolderAndStaleOnesGo) {
  const TestRun run("page_figures");
  run.write_training(), run.write_states(), run.write_arrays(100);
  run.write("figures/free-energy.svg", "of an earlier landscape");
  run.write("figures/mine.svg", "of the user");
  const auto page = page_of(run);
  const auto folder = run.folder / "figures";
  const auto figures = run_figures(read_run_record(run.folder), read_run_arrays(run.folder));
  ASSERT_EQ(figures.all().size(), 7u);
  for (const auto* figure : figures.all()) {
    const auto svg = read_text_file(folder / (figure->name + ".svg"));
    EXPECT_TRUE(has(page, svg)) << figure->name;
    EXPECT_EQ(broken_tag(svg), "") << figure->name;
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "free-energy.svg"));
  EXPECT_EQ(read_text_file(folder / "mine.svg"), "of the user");
}

TEST(Page, ShowsAWholeLandscape) {
  const TestRun run("page_landscape");
  run.write_states(), run.write_arrays(100), run.write_landscape(100);
  const auto page = page_of(run);
  EXPECT_EQ(broken_tag(page), "");
  for (const char* name : {"free-energy", "free-energy-surface", "tree", "paths", "embedding",
                           "embedding-energy", "embedding-evidence", "outliers"}) {
    EXPECT_TRUE(has(page, std::string("download=\"") + name + ".svg\"")) << name;
    EXPECT_TRUE(std::filesystem::exists(run.folder / "figures" / (std::string(name) + ".svg"))) << name;
  }
  EXPECT_TRUE(has(page, "trustworthiness 0.875"));
  // What the next landscape does not have goes, whatever its name.
  run.write("landscape.json", "{}");
  for (const char* name : {"embedding.npy", "outliers.npy", "components.npy", "states.json", "latents.npy"})
    std::filesystem::remove(run.folder / name);
  page_of(run);
  EXPECT_TRUE(std::filesystem::is_empty(run.folder / "figures"));
}

TEST(Page, SaysWhyThereAreNoMinima) {
  const TestRun run("page_notice");
  run.write("landscape.json", R"({"energy_notice": "the prior <mixes> bits"})");
  EXPECT_TRUE(has(page_of(run), "No minima and paths: the prior &lt;mixes&gt; bits."));
}
