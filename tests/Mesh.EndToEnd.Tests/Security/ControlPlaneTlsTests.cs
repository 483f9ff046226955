using System.Net;
using Mesh.ControlPlane;
using Mesh.ControlPlane.Discovery;
using Mesh.ControlPlane.Model;
using Mesh.ControlPlane.Registry;
using Mesh.EndToEnd.Tests.Lab;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Mesh.EndToEnd.Tests.Security;

/// <summary>Applications whose control plane is on TLS and believes only what is proven.</summary>
public sealed class ControlPlaneTlsTests
{
    private const string Token = "echo-echo-echo-echo-echo-echo";

    [Fact]
    public async Task A_workload_registers_by_its_token_and_is_called_and_one_that_says_to_be_another_is_not()
    {
        await using var lab = new MeshLab();
        lab.Folder.Save("services.yaml", Yaml.Service("echo", "http", "v1") + Yaml.Service("other", "http", "v1"));
        var files = Directory.CreateTempSubdirectory("mesh-tls-").FullName;
        lab.OnDispose(() => Directory.Delete(files, recursive: true));
        var audit = new Audit();
        await using var controlPlane = await StartAsync(lab, files, audit);
        var registry = controlPlane.Services.GetRequiredService<ServiceRegistry>();
        File.WriteAllText(Path.Combine(files, "roots.pem"), controlPlane.Services.GetRequiredService<IMeshCertificateAuthority>().Roots);
        void Secure(MeshOptions options)
        {
            options.Xds.Server = controlPlane.Urls.Single();
            options.Xds.RootCertificates = Path.Combine(files, "roots.pem");
            options.Xds.TokenFile = Path.Combine(files, "token");
        }

        await lab.StartWorkloadAsync("echo", configure: options =>
        {
            Secure(options);
            options.Workload.ServiceAccount = "echo";
        });
        await WhenRegisteredAsync(registry, workload => workload.ServiceAccount == "echo");
        await lab.StartWorkloadAsync("other", configure: options =>
        {
            Secure(options);
            options.Workload.ServiceAccount = "other";
        });
        (await audit.Refused.Task.OrHang()).ShouldContain("default/other");

        // Known is not yet told: changes are gathered for a while.
        await controlPlane.Services.GetRequiredService<DiscoveryServer>().FlushAsync(CancellationToken.None).OrHang();

        var caller = await lab.StartCallerAsync(options =>
        {
            Secure(options);
            options.Workload.ServiceAccount = "echo";
        });
        using var response = await caller.Client.GetAsync("http://echo/");
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        registry.Current.Values.Select(workload => workload.ServiceAccount).ShouldBe(["echo"]);
        lab.Log.ToString().ShouldNotContain(Token);
    }

    private static async Task<WebApplication> StartAsync(MeshLab lab, string files, Audit audit)
    {
        var token = Path.Combine(files, "token");
        File.WriteAllText(token, Token);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(token, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddProvider(lab.Log.For("control plane")).AddProvider(audit);
        builder.Services.AddMeshControlPlane(options =>
        {
            options.ConfigFolder = lab.Folder.Path;
            options.CertificateAuthority.Folder = Path.Combine(files, "authority");
            options.Authentication.RequireForClients = true;
            options.Authentication.JoinTokens.Add(new MeshJoinTokenOptions { File = token, Accounts = { "default/echo" } });
        });
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenMeshXdsTls(IPAddress.Loopback, 0));
        var app = builder.Build();
        app.MapMeshXds();
        await app.StartAsync().OrHang();
        return app;
    }

    private static async Task WhenRegisteredAsync(ServiceRegistry registry, Predicate<WorkloadInstance> condition)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Check(string id, WorkloadInstance? workload)
        {
            if (registry.Current.Values.Any(found => condition(found)))
            {
                reached.TrySetResult();
            }
        }

        registry.Changed += Check;
        Check("", null);
        await reached.Task.OrHang();
        registry.Changed -= Check;
    }

    /// <summary>Hears of the first stream that is refused.</summary>
    private sealed class Audit : ILoggerProvider, ILogger
    {
        public TaskCompletionSource<string> Refused { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (formatter(state, exception) is var text && text.Contains("stream refused", StringComparison.Ordinal))
            {
                Refused.TrySetResult(text);
            }
        }

        public void Dispose()
        {
        }
    }
}
