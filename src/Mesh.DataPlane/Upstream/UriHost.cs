using System.Text;

namespace Mesh.DataPlane.Upstream;

/// <summary>The host of a URI as it goes over the wire.</summary>
internal static class UriHost
{
    /// <summary><see cref="Uri.IdnHost"/>, which looks anew at every character each time it is asked: the name as parsed where that is the same.</summary>
    public static string Of(Uri uri) => uri.HostNameType == UriHostNameType.Dns && uri.Host is { } host && Ascii.IsValid(host) ? host : uri.IdnHost;
}
