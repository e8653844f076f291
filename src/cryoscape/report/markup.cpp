#include "cryoscape/report/markup.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace cryoscape::report {
namespace {

bool unreserved(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~' || c == '/';
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const unsigned char c : text)
    if (unreserved(c))
      out += static_cast<char>(c);
    else
      out += fmt::format("%{:02X}", c);
  return out;
}

/// The typographic minus, which is as wide as a digit.
std::string with_minus(std::string text) {
  if (text.starts_with('-')) text.replace(0, 1, "−");
  return text;
}

}  // namespace

std::string escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '\t':
      case '\n':
        out += c;
        break;
      default:
        if (static_cast<unsigned char>(c) < 32 || c == 127)
          out += "\uFFFD";
        else
          out += c;
    }
  return out;
}

std::string relative_path(std::string_view path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  return std::string(path);
}

std::string relative_link(std::string_view path) { return percent_encoded(relative_path(path)); }

std::string data_uri(std::string_view media_type, std::string_view text) {
  return fmt::format("data:{};charset=utf-8,{}", media_type, percent_encoded(text));
}

std::string with_error(double value, double error, int digits) {
  if (!std::isfinite(value)) return "–";
  if (!std::isfinite(error) || error <= 0) return with_minus(fmt::format("{:.{}g}", value, digits));
  const int decimals = std::clamp(1 - static_cast<int>(std::floor(std::log10(error))), 0, 9);
  return with_minus(fmt::format("{:.{}f} ± {:.{}f}", value, decimals, error, decimals));
}

std::string grouped(long long count) {
  auto text = fmt::format("{}", std::abs(count));
  for (int at = static_cast<int>(text.size()) - 3; at > 0; at -= 3)
    text.insert(static_cast<std::size_t>(at), "\u202F");
  return count < 0 ? "−" + text : text;
}

}  // namespace cryoscape::report
