using System.Buffers;

namespace Mesh.DataPlane.Headers;

/// <summary>What may stand in a header's value without ending it.</summary>
internal static class HeaderValues
{
    // Every control character but the tab (RFC 9110, section 5.5).
    private static readonly SearchValues<char> Unsafe = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20).Where(c => c != '\t').Select(c => (char)c), '\x7F']);

    public static bool IsSafe(ReadOnlySpan<char> value) => !value.ContainsAny(Unsafe);
}
