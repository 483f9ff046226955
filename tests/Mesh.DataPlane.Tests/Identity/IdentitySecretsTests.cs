using Envoy.Extensions.TransportSockets.Tls.V3;
using Mesh.DataPlane.Identity;
using Mesh.DataPlane.Tls;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Tests.Identity;

/// <summary>Whoever watches the process's own secrets is told of each, in order, and never while a lock is held.</summary>
public sealed class IdentitySecretsTests
{
    private readonly IdentitySecrets _secrets = new(new LogRecorder());

    [Fact]
    public async Task What_is_there_is_told_at_once_and_what_follows_after_it()
    {
        _secrets.Publish(Secret("1"));
        var recorder = new SecretRecorder();
        using var watch = _secrets.Watch("default", recorder);
        recorder.HasMore.ShouldBeTrue();
        _secrets.Publish(Secret("2"));
        _secrets.Publish(new SecretResource("ROOTCA", null, new CertificateValidationContext()));

        Number(await recorder.NextAsync()).ShouldBe("1");
        Number(await recorder.NextAsync()).ShouldBe("2");
        recorder.HasMore.ShouldBeFalse();
    }

    [Fact]
    public async Task An_error_is_ambient_once_there_is_something_good()
    {
        var recorder = new SecretRecorder();
        using var watch = _secrets.Watch("default", recorder);
        _secrets.Fail("default", ResourceErrorKind.Unavailable, "away");
        _secrets.Publish(Secret("1"));
        _secrets.Fail("default", ResourceErrorKind.Unavailable, "away again");

        (await recorder.NextErrorAsync()).ShouldBe((new ResourceError(ResourceErrorKind.Unavailable, "away"), false));
        Number(await recorder.NextAsync()).ShouldBe("1");
        (await recorder.NextErrorAsync()).ShouldBe((new ResourceError(ResourceErrorKind.Unavailable, "away again"), true));
        Number(_secrets.Latest("default")!).ShouldBe("1");
    }

    [Fact]
    public void Who_no_longer_watches_is_told_nothing()
    {
        var recorder = new SecretRecorder();
        _secrets.Watch("default", recorder).Dispose();

        _secrets.Publish(Secret("1"));

        recorder.HasMore.ShouldBeFalse();
    }

    [Fact]
    public async Task Watchers_that_take_a_lock_under_which_others_begin_to_watch_do_not_dead_lock()
    {
        var sync = new Lock();
        var last = new Watcher(sync);
        using var first = _secrets.Watch("default", last);
        var publishing = Task.Run(() =>
        {
            for (var i = 1; i <= 2_000; i++)
            {
                _secrets.Publish(Secret(i.ToString(System.Globalization.CultureInfo.InvariantCulture)));
            }
        });
        var late = new List<Watcher>();
        await Task.Run(() =>
        {
            for (var i = 0; i < 500; i++)
            {
                lock (sync)
                {
                    var watcher = new Watcher(sync);
                    late.Add(watcher);
                    _secrets.Watch("default", watcher);
                }
            }
        }).WaitAsync(TimeSpan.FromSeconds(30));
        await publishing.WaitAsync(TimeSpan.FromSeconds(30));

        foreach (var watcher in late.Append(last))
        {
            watcher.Numbers.ShouldBe(watcher.Numbers.Order());
            watcher.Numbers[^1].ShouldBe(2_000);
        }
    }

    [Fact]
    public async Task A_watcher_that_fails_keeps_nobody_from_being_told()
    {
        var recorder = new SecretRecorder();
        using var bad = _secrets.Watch("default", new Bad());
        using var good = _secrets.Watch("default", recorder);

        _secrets.Publish(Secret("1"));
        _secrets.Publish(Secret("2"));

        Number(await recorder.NextAsync()).ShouldBe("1");
        Number(await recorder.NextAsync()).ShouldBe("2");
    }

    private static string Number(SecretResource secret) => secret.Validation!.TrustedCa.InlineString;

    private static SecretResource Secret(string number) => new("default", null, new CertificateValidationContext { TrustedCa = new() { InlineString = number } });

    private sealed class Watcher(Lock sync) : IResourceWatcher<SecretResource>
    {
        public List<int> Numbers { get; } = [];

        public void OnChanged(string name, SecretResource resource, string version)
        {
            lock (sync)
            {
                Numbers.Add(int.Parse(Number(resource), System.Globalization.CultureInfo.InvariantCulture));
            }
        }

        public void OnResourceError(string name, ResourceError error)
        {
        }

        public void OnAmbientError(string name, ResourceError error)
        {
        }
    }

    private sealed class Bad : IResourceWatcher<SecretResource>
    {
        public void OnChanged(string name, SecretResource resource, string version) => throw new InvalidOperationException("a fault");

        public void OnResourceError(string name, ResourceError error) => throw new InvalidOperationException("a fault");

        public void OnAmbientError(string name, ResourceError error) => throw new InvalidOperationException("a fault");
    }
}
