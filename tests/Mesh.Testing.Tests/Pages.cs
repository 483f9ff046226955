using System.Text.RegularExpressions;

namespace Mesh.Testing.Tests;

/// <summary>The pages of the documentation, and what is shown on them.</summary>
internal static partial class Pages
{
    private const string Prefix = "pages/";

    /// <summary>Every block in a language: its page, and the line on which it begins.</summary>
    public static TheoryData<string, int> Blocks(string language)
    {
        var blocks = new TheoryData<string, int>();
        foreach (var name in typeof(Pages).Assembly.GetManifestResourceNames().Where(n => n.StartsWith(Prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            var text = Text(name);
            foreach (Match block in Block().Matches(text))
            {
                if (block.Groups["language"].Value == language)
                {
                    blocks.Add(name[Prefix.Length..], LineOf(text, block.Index));
                }
            }
        }

        return blocks;
    }

    public static string BlockAt(string page, int line)
    {
        var text = Text(Prefix + page);
        return Block().Matches(text).First(block => LineOf(text, block.Index) == line).Groups["text"].Value;
    }

    /// <summary>The first block of YAML below a line, such as a heading.</summary>
    public static string Yaml(string page, string heading)
    {
        var text = "\n" + Text($"{Prefix}docs/traffic/{page}");
        var start = text.IndexOf($"\n{heading}\n", StringComparison.Ordinal);
        start.ShouldBeGreaterThanOrEqualTo(0, $"{page} has no {heading}");
        return Block().Matches(text).First(block => block.Index > start && block.Groups["language"].Value == "yaml").Groups["text"].Value;
    }

    /// <summary>What the reader of the pages has: the sample's services and the names of their versions.</summary>
    public static string Bookinfo()
        => string.Join(
            "\n---\n",
            Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "mesh"), "*.yaml")
                .Where(file => !Path.GetFileName(file).StartsWith("virtual-service", StringComparison.Ordinal))
                .Select(File.ReadAllText));

    private static int LineOf(string text, int index) => text.AsSpan(0, index).Count('\n') + 1;

    private static string Text(string resource)
    {
        using var reader = new StreamReader(typeof(Pages).Assembly.GetManifestResourceStream(resource)!);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }

    [GeneratedRegex("^```(?<language>[a-z]+)\n(?<text>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();
}
