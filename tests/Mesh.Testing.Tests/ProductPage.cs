using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Mesh.Testing.Tests;

/// <summary>The application under test: it calls reviews as it would in production, and forwards who is asking.</summary>
public sealed class ProductPage
{
    public static void Main(string[] args)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.AddMesh(mesh => mesh.Workload = new MeshWorkload("productpage"));
        builder.Services.AddHttpClient("reviews", client => client.BaseAddress = new Uri("http://reviews:9080"));

        var app = builder.Build();
        app.MapGet("/productpage", async (HttpRequest request, IHttpClientFactory clients) =>
        {
            using var client = clients.CreateClient("reviews");
            using var call = new HttpRequestMessage(HttpMethod.Get, "/reviews/0");
            call.Headers.TryAddWithoutValidation("end-user", request.Headers["end-user"].ToString());
            using var response = await client.SendAsync(call);
            return $"reviews: {await response.Content.ReadAsStringAsync()}";
        });
        app.Run();
    }
}
