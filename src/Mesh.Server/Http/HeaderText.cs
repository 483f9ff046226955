using Microsoft.Extensions.Primitives;

namespace Mesh.Server.Http;

/// <summary>Headers as matchers read them: the lines of one that was sent several times are joined by commas, as Envoy joins them.</summary>
internal static class HeaderText
{
    public static string Join(StringValues values) => values.Count == 1 ? values[0] ?? "" : string.Join(',', values.ToArray());
}
