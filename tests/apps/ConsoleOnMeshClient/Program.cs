using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

// A worker that calls through the mesh and serves nothing: <xds server> <uri>.
var builder = Host.CreateApplicationBuilder();
builder.Services.AddMeshClient(mesh => mesh.Xds.Server = args[0]);
using var host = builder.Build();
await host.StartAsync();
using var response = await host.Services.GetRequiredService<IHttpClientFactory>().CreateClient().GetAsync(args[1]);
Console.WriteLine($"answer: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}");
await host.StopAsync();
