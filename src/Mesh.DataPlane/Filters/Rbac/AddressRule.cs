using System.Net;
using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>Looks at one of the addresses of a connection; where there is none, as with a Unix socket, it is in no range.</summary>
internal sealed class AddressRule(AddressRule.Side side, AddressRange range) : RbacRule
{
    public override bool IsMatch(scoped in RbacRequest request) => range.Contains(AddressOf(request));

    private IPAddress? AddressOf(scoped in RbacRequest request)
        => side switch
        {
            Side.Remote => request.RemoteAddress,
            Side.DirectRemote => request.Connection?.RemoteEndPoint?.Address,
            _ => request.Connection?.LocalEndPoint?.Address,
        };

    /// <summary>Whose address.</summary>
    internal enum Side
    {
        /// <summary>Where the connection came in.</summary>
        Local,

        /// <summary>Who connected.</summary>
        DirectRemote,

        /// <summary>Who sent the request, as far as those who passed it on are believed.</summary>
        Remote,
    }
}
