using Mesh.Server.Admin.Html;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Server.Admin.Endpoints;

/// <summary>
/// <c>POST</c> takes the workload out of the mesh while its server goes on, always gracefully: clients are told before connections are ended. What a
/// process asks of others has no listener, and goes on.
/// </summary>
internal sealed class DrainListenersEndpoint(IServiceProvider services) : AdminEndpoint("/drain_listeners", "Drain")
{
    public override bool Changes => true;

    public override bool IsPage => false;

    public override Task GetAsync(AdminRequest request)
    {
        var isDraining = services.GetService<WorkloadRegistration>() is { IsDraining: true };
        var text = isDraining ? "draining" : "not draining: POST takes the workload out of the mesh";
        return request.FormatOr(AdminFormat.Text) switch
        {
            AdminFormat.Json => request.WriteJsonAsync(new { isDraining }),
            AdminFormat.Html => request.WritePageAsync(Title, HtmlText.Of($"<p>{text}</p>")),
            _ => request.WriteTextAsync($"{text}\n"),
        };
    }

    public override Task PostAsync(AdminRequest request)
    {
        if (services.GetService<WorkloadRegistration>() is not { } registration)
        {
            return request.RefuseAsync(StatusCodes.Status404NotFound, "This process serves nobody in the mesh.");
        }

        registration.Drain();
        return request.WriteTextAsync("OK\n");
    }
}
