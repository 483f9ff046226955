using Mesh;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Logging.Console;

namespace Bookinfo.Hosting;

/// <summary>The host that every process of Bookinfo has: where it listens, how it logs, how it leaves.</summary>
internal static class ServiceHost
{
    public static WebApplication Build(ServiceOptions options, ServiceRole role)
    {
        var builder = CreateBuilder(options);
        ApplyVersion(builder.Configuration, options);
        builder.AddMesh(mesh =>
        {
            mesh.Workload = new MeshWorkload(options.Role) { Version = options.Version, ServiceAccount = $"bookinfo-{options.Role}" };
            mesh.Xds.Server = options.Xds;
            mesh.Identity.Source = MeshIdentitySource.CertificateAuthority;

            // The first page does not wait for the first look at whom it needs.
            foreach (var called in role.Calls)
            {
                mesh.Preload.Add(ServiceAddress.Of(builder.Configuration, called).Authority);
            }
        });
        role.Add(builder);
        var app = builder.Build();
        role.Map(app);
        ReportAddress(app, options);
        return app;
    }

    public static WebApplicationBuilder CreateBuilder(ServiceOptions options)
    {
        // The content root is not where the person happens to stand.
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseUrls(options.Url);
        builder.Services.TryAddTimeProvider();

        // Quiet unless asked: what the mesh has to say, and warnings of everybody else.
        builder.Logging.SetMinimumLevel(options.Verbose ? LogLevel.Information : LogLevel.Warning);
        if (!options.Verbose)
        {
            builder.Logging.AddFilter("Mesh", LogLevel.Information);
        }

        if (options.IsChild)
        {
            builder.Logging.ClearProviders();
            builder.Logging.AddConsole(console => console.FormatterName = ChildLogFormatter.FormatterName)
                .AddConsoleFormatter<ChildLogFormatter, ConsoleFormatterOptions>();
            builder.Services.AddSingleton<IHostLifetime, ChildLifetime>();
        }

        return builder;
    }

    public static void ReportAddress(WebApplication app, ServiceOptions options)
    {
        app.Lifetime.ApplicationStarted.Register(() =>
        {
            var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
            Console.WriteLine(options.IsChild ? ChildProtocol.Listening + address : $"{options.Role} {options.Version} listens on {address}");
        });
    }

    /// <summary>What a Deployment's environment says of each version; a variable that is set wins.</summary>
    private static void ApplyVersion(ConfigurationManager configuration, ServiceOptions options)
    {
        void Default(string name, string value)
        {
            if (configuration[name] is null)
            {
                configuration[name] = value;
            }
        }

        Default("SERVICE_VERSION", options.Version);
        if (options.Role == "reviews")
        {
            Default("ENABLE_RATINGS", options.Version == "v1" ? "false" : "true");
            if (options.Version == "v3")
            {
                Default("STAR_COLOR", "red");
            }
        }
        else if (options.Role == "details" && options.Version == "v2")
        {
            Default("ENABLE_EXTERNAL_BOOK_SERVICE", "true");
        }
    }
}
