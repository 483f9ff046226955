using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;

namespace Mesh.EndToEnd.Tests.Lab;

/// <summary>Lets an application say in every answer which version gave it, as pods do.</summary>
internal sealed class VersionFilter(string version) : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use((context, inner) =>
        {
            context.Response.Headers[Pod.VersionHeader] = version;
            return inner(context);
        });
        next(app);
    };
}
