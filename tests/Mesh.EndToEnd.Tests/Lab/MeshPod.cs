using Mesh.Server.Admin;
using Mesh.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Mesh.EndToEnd.Tests.Lab;

/// <summary>An application with the whole mesh in it.</summary>
internal sealed class MeshPod
{
    public MeshPod(WebApplication app, string name)
    {
        Name = name;
        Services = app.Services;
        Address = new Uri(app.Urls.Single());
        Admin = new Uri($"http://{app.Services.GetServices<IHostedService>().OfType<AdminServer>().Single().EndPoint}");
        Client = app.Services.GetRequiredService<IHttpClientFactory>().CreateClient();
        Client.Timeout = Guard.Hang;
    }

    public string Name { get; }

    /// <summary>Where it listens, for those who do not ask the mesh.</summary>
    public Uri Address { get; }

    /// <summary>Where it shows what it believes, and its metrics.</summary>
    public Uri Admin { get; }

    /// <summary>Its own client: what it asks, it asks as itself.</summary>
    public HttpClient Client { get; }

    public IServiceProvider Services { get; }
}
