using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;

namespace Mesh.Server;

/// <summary>Puts the mesh before everything else that an application does with a request.</summary>
internal sealed class MeshStartupFilter(InboundRequests requests) : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next)
        => app =>
        {
            app.Use(requests.InvokeAsync);
            next(app);
        };
}
