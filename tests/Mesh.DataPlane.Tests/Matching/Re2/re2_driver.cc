// Answers, with RE2 itself, what a pattern does to a text, so that the translation can be compared with the original.
//
// In:  base64(pattern) TAB base64(text) [TAB base64(rewrite)]
// Out: "ok" TAB full TAB partial TAB program size TAB captures TAB base64(text after GlobalReplace), or "error" TAB base64(message)
#include <re2/re2.h>

#include <iostream>
#include <string>

namespace {

constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string Decode(const std::string& in) {
  std::string out;
  unsigned buffer = 0;
  int bits = 0;
  for (char c : in) {
    const char* at = c == '\0' ? nullptr : std::char_traits<char>::find(kAlphabet, 64, c);
    if (at == nullptr) {
      continue;  // padding
    }
    buffer = (buffer << 6) | static_cast<unsigned>(at - kAlphabet);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out.push_back(static_cast<char>((buffer >> bits) & 0xFF));
    }
  }
  return out;
}

std::string Encode(const std::string& in) {
  std::string out;
  unsigned buffer = 0;
  int bits = 0;
  for (unsigned char c : in) {
    buffer = (buffer << 8) | c;
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      out.push_back(kAlphabet[(buffer >> bits) & 0x3F]);
    }
  }
  if (bits > 0) {
    out.push_back(kAlphabet[(buffer << (6 - bits)) & 0x3F]);
  }
  while (out.size() % 4 != 0) {
    out.push_back('=');
  }
  return out;
}

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  std::string line;
  while (std::getline(std::cin, line)) {
    const size_t first = line.find('\t');
    if (first == std::string::npos) {
      std::cout << "error\t" << Encode("malformed line") << std::endl;
      continue;
    }
    const size_t second = line.find('\t', first + 1);
    const bool rewrites = second != std::string::npos;
    const std::string pattern = Decode(line.substr(0, first));
    const std::string text = Decode(line.substr(first + 1, rewrites ? second - first - 1 : std::string::npos));
    const std::string rewrite = rewrites ? Decode(line.substr(second + 1)) : std::string();

    RE2 re(pattern, RE2::Quiet);
    if (!re.ok()) {
      std::cout << "error\t" << Encode(re.error()) << std::endl;  // may quote a newline
      continue;
    }

    std::string replaced = text;
    if (rewrites) {
      RE2::GlobalReplace(&replaced, re, rewrite);
    }
    std::cout << "ok\t" << RE2::FullMatch(text, re) << '\t' << RE2::PartialMatch(text, re) << '\t' << re.ProgramSize() << '\t'
              << re.NumberOfCapturingGroups() << '\t' << Encode(replaced) << std::endl;
  }
  return 0;
}
