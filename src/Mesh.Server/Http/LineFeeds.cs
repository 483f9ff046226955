using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace Mesh.Server.Http;

/// <summary>
/// Has the server refuse lines that end with LF alone (RFC 9112 lets a reader take them, and two readers differ over what follows). The server knows a
/// switch of the process for that, which it reads when its options are there and its first parser is not.
/// </summary>
internal sealed class LineFeeds(IOptions<MeshOptions> mesh) : IConfigureOptions<KestrelServerOptions>
{
    private const string Switch = "Microsoft.AspNetCore.Server.Kestrel.DisableHttp1LineFeedTerminators";

    public void Configure(KestrelServerOptions options)
    {
        if (!mesh.Value.Server.AllowBareLineFeeds && !AppContext.TryGetSwitch(Switch, out _))
        {
            AppContext.SetSwitch(Switch, true);
        }
    }
}
