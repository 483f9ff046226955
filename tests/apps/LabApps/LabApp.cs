using LabApps.Customers;
using LabApps.HelloWorld;
using LabApps.Httpbin;
using LabApps.MyApp;
using LabApps.WebFrontend;
using Microsoft.Extensions.DependencyInjection;

namespace LabApps;

/// <summary>An application of the labs: ordinary ASP.NET Core with the mesh switched on, in a process of its own or in that of a test.</summary>
/// <param name="Name">Its name in the mesh.</param>
/// <param name="Map">What it answers.</param>
public sealed record LabApp(string Name, Action<WebApplication> Map)
{
    public static readonly IReadOnlyDictionary<string, LabApp> All = new[]
    {
        new LabApp("hello-world", HelloWorldEndpoints.Map),
        new LabApp("customers", CustomersEndpoints.Map),
        new LabApp("web-frontend", WebFrontendEndpoints.Map),
        new LabApp("httpbin", HttpbinEndpoints.Map),
        new LabApp("myapp", MyAppEndpoints.Map),
        new LabApp("be", MyAppEndpoints.Map),
    }.ToDictionary(app => app.Name, StringComparer.Ordinal);

    /// <param name="args">Settings as on a command line: <c>--Mesh:Workload:Version v2</c>, and what each application says of itself.</param>
    /// <param name="configure">Changes the host.</param>
    public WebApplication Build(string[] args, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.SetMinimumLevel(LogLevel.Warning);

        // What others answer is handed on as it is, redirects too.
        builder.Services.ConfigureHttpClientDefaults(client => client.ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { UseCookies = false }));
        builder.AddMesh(mesh => mesh.Workload.Name ??= Name);
        configure?.Invoke(builder);
        var app = builder.Build();
        Map(app);
        return app;
    }
}
