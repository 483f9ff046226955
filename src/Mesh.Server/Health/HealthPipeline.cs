using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Mesh.Server.Health;

/// <summary>Keeps hold of the application's own pipeline, behind the mesh's way in.</summary>
internal sealed class HealthPipeline : IStartupFilter
{
    /// <summary>What answers requests once the mesh has let them in; <see langword="null"/> before the server has started.</summary>
    public RequestDelegate? Application { get; private set; }

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next)
        => app =>
        {
            app.Use(following => Application = following);
            next(app);
        };
}
