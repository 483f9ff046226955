using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Mesh.Testing.Tests;

/// <summary>The application under test: it calls reviews as it would in production, forwards who is asking, and waits no longer than two seconds.</summary>
public sealed class ProductPage
{
    public static void Main(string[] args)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.AddMesh(mesh => mesh.Workload = new MeshWorkload("productpage"));
        builder.Services.AddHttpClient("reviews", client => client.BaseAddress = new Uri("http://reviews:9080"));

        var app = builder.Build();
        app.MapGet("/productpage", async (HttpRequest request, IHttpClientFactory clients, TimeProvider time) =>
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2), time);
            using var client = clients.CreateClient("reviews");
            using var call = new HttpRequestMessage(HttpMethod.Get, "/reviews/0");
            call.Headers.TryAddWithoutValidation("end-user", request.Headers["end-user"].ToString());
            try
            {
                using var response = await client.SendAsync(call, patience.Token);
                return $"reviews: {await response.Content.ReadAsStringAsync(patience.Token)}";
            }
            catch (OperationCanceledException) when (patience.IsCancellationRequested)
            {
                return "reviews: currently unavailable";
            }
        });
        app.Run();
    }
}
