using System.Globalization;
using System.Net;

namespace Mesh.ControlPlane.Generators;

/// <summary>Istio's names of listeners that connections come in by: <c>10.0.0.7_3306</c>, <c>0.0.0.0_3306</c>.</summary>
internal readonly record struct TcpListenerKey(string Bind, uint Port)
{
    public static bool TryParse(string name, out TcpListenerKey key)
    {
        key = default;
        var underscore = name.LastIndexOf('_');
        if (underscore <= 0
            || !uint.TryParse(name.AsSpan(underscore + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            || port is 0 or > ushort.MaxValue
            || !IPAddress.TryParse(name.AsSpan(0, underscore), out _))
        {
            return false;
        }

        key = new TcpListenerKey(name[..underscore], port);
        return true;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Bind}_{Port}");
}
