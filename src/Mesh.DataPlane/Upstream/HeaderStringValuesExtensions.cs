using System.Net.Http.Headers;

namespace Mesh.DataPlane.Upstream;

/// <summary>Reads header values without LINQ's boxed enumerator.</summary>
internal static class HeaderStringValuesExtensions
{
    public static string? First(this HeaderStringValues values)
    {
        foreach (var value in values)
        {
            return value;
        }

        return null;
    }
}
