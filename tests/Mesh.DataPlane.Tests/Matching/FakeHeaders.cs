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
        value = text;
        return found;
    }
}
