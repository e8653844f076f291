#pragma once
#include <string>
#include <vector>

namespace cryoscape::report {

/// The first thing wrong with the nesting of a page's or figure's tags; empty when every element is closed in
/// its order.
inline std::string broken_tag(const std::string& page) {
  std::vector<std::string> open;
  for (auto at = page.find('<'); at != std::string::npos; at = page.find('<', at + 1)) {
    const auto end = page.find('>', at);
    if (end == std::string::npos) return "unfinished tag";
    const auto tag = page.substr(at + 1, end - at - 1);
    if (tag.find('<') != std::string::npos) return "< inside " + tag;
    if (tag.starts_with('!') || tag.ends_with('/')) continue;
    const auto name = tag.substr(tag[0] == '/', tag.find(' ') - (tag[0] == '/'));
    if (tag[0] != '/') {
      open.push_back(name);
    } else {
      if (open.empty() || open.back() != name)
        return "</" + name + "> closes " + (open.empty() ? "nothing" : open.back());
      open.pop_back();
    }
  }
  return open.empty() ? "" : open.back() + " stays open";
}

inline bool has(const std::string& page, const std::string& what) {
  return page.find(what) != std::string::npos;
}

inline std::size_t occurrences(const std::string& text, const std::string& what) {
  std::size_t n = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

/// A point in pixels.
struct Pixel {
  double x = 0, y = 0;
};

/// The points after M and L of the first path whose element contains `mark`; empty where there is none.
inline std::vector<Pixel> path_points(const std::string& svg, const std::string& mark) {
  for (auto at = svg.find("<path "); at != std::string::npos; at = svg.find("<path ", at + 1)) {
    const auto element = svg.substr(at, svg.find('>', at) - at);
    if (!has(element, mark)) continue;
    std::vector<Pixel> out;
    for (auto c = element.find_first_of("ML"); c != std::string::npos;
         c = element.find_first_of("ML", c + 1)) {
      char* end = nullptr;
      const double x = std::strtod(element.c_str() + c + 1, &end);
      out.push_back({x, std::strtod(end, nullptr)});
    }
    return out;
  }
  return {};
}

}  // namespace cryoscape::report
