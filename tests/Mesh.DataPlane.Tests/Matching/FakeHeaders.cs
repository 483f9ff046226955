using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Tests.Matching;

internal sealed class FakeHeaders : HeaderReader
{
    public static FakeHeaders Instance { get; } = new();

    public static RequestView View(string pathAndQuery, Dictionary<string, string>? headers = null, string method = "GET", string authority = "reviews:9080")
        => new(pathAndQuery, method, authority, "http", Instance, headers ?? []);

    public override bool TryGet(object carrier, HeaderName name, out ReadOnlySpan<char> value)
    {
        var found = ((Dictionary<string, string>)carrier).TryGetValue(name.Value, out var text);
        value = text?.Replace("\n", ", ", StringComparison.Ordinal);
        return found;
    }

    // Lines are parted by a line feed, which no header has.
    public override bool TryGetLine(object carrier, HeaderName name, int index, out ReadOnlySpan<char> line)
    {
        line = [];
        if (!((Dictionary<string, string>)carrier).TryGetValue(name.Value, out var text))
        {
            return false;
        }

        var rest = text.AsSpan();
        for (; ; index--)
        {
            var end = rest.IndexOf('\n');
            line = end < 0 ? rest : rest[..end];
            if (index == 0)
            {
                return true;
            }

            if (end < 0)
            {
                return false;
            }

            rest = rest[(end + 1)..];
        }
    }
}
