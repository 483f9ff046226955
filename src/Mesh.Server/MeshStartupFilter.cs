using Mesh.Server.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Options;

namespace Mesh.Server;

/// <summary>Puts the mesh before everything else that an application does with a request.</summary>
internal sealed class MeshStartupFilter(InboundRequests requests, IOptions<MeshOptions> options) : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next)
        => app =>
        {
            app.Use(requests.InvokeAsync);
            if (!options.Value.Server.AllowAmbiguousFraming)
            {
                app.Use((context, next) => RequestFraming.Check(context) is { } reply ? RequestFraming.RefuseAsync(context, reply) : next(context));
            }

            app.Use(ServerDoor.InvokeAsync);
            next(app);
        };
}
