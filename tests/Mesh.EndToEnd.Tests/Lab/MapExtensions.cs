using Google.Protobuf.Collections;

namespace Mesh.EndToEnd.Tests.Lab;

internal static class MapExtensions
{
    public static string? GetValueOrDefaultOf(this MapField<string, string> map, string key) => map.TryGetValue(key, out var value) ? value : null;
}
