namespace Mesh.Testing.Tests;

public sealed class DocumentationTests
{
    [Fact]
    public void Shows_only_code_that_runs()
    {
        var source = Lines(Resource("DocumentedExamples.cs"));
        var examples = Resource("testing.md").Split("```csharp\n").Skip(1).Select(text => text[..text.IndexOf("```", StringComparison.Ordinal)]).ToList();

        examples.Count.ShouldBeGreaterThan(4);
        foreach (var example in examples)
        {
            source.ShouldContain(Lines(example));
        }
    }

    private static string Resource(string name)
    {
        using var reader = new StreamReader(typeof(DocumentationTests).Assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }

    // Indentation is the page's own, and so are empty lines.
    private static string Lines(string text) => string.Join('\n', text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
}
