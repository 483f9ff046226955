using System.Globalization;

namespace Mesh.Xds.Serving;

/// <summary>The responses of one kind on one stream: which have been answered, and up to which push that settles the kind.</summary>
internal sealed class AckTracker
{
    /// <summary>A client that reads without ever answering must not make this grow; an answer to a later response covers the earlier ones.</summary>
    private const int MaxUnanswered = 32;

    private readonly Queue<UnansweredResponse> _unanswered = new();
    private long _lastSent;
    private long _lastAnswered;

    /// <summary>Everything that follows from pushes up to this one has been answered, as long as the kind is busy.</summary>
    public long SettledEpoch { get; private set; }

    public bool IsOutstanding => _lastAnswered < _lastSent;

    public string AckedVersion { get; private set; } = "";

    /// <summary>The version that the last answer refused; empty when it accepted.</summary>
    public string NackedVersion { get; private set; } = "";

    public DateTimeOffset? LastSent { get; private set; }

    public DateTimeOffset? LastAcked { get; private set; }

    public DateTimeOffset? LastNacked { get; private set; }

    /// <summary>The kind was at rest and now has work because of a push.</summary>
    public void BecomeBusy(long settledEpoch) => SettledEpoch = settledEpoch;

    /// <summary>The client asked for more: no answer to an earlier response settles anything until that has been sent.</summary>
    public void BecomeOwed(long settledEpoch)
    {
        SettledEpoch = settledEpoch;
        for (var i = _unanswered.Count; i > 0; i--)
        {
            _unanswered.Enqueue(_unanswered.Dequeue() with { Epoch = settledEpoch });
        }
    }

    public void Sent(long nonce, long epoch, string version, DateTimeOffset now)
    {
        _lastSent = nonce;
        LastSent = now;
        if (_unanswered.Count == MaxUnanswered)
        {
            _unanswered.Dequeue();
        }

        _unanswered.Enqueue(new UnansweredResponse(nonce, epoch, version));
    }

    /// <summary>A push changed nothing of what was sent: the answer to the last response settles it as well.</summary>
    public void NothingToSend(long epoch)
    {
        if (IsOutstanding)
        {
            for (var i = _unanswered.Count; i > 0; i--)
            {
                var response = _unanswered.Dequeue();
                _unanswered.Enqueue(response.Nonce == _lastSent ? response with { Epoch = epoch } : response);
            }
        }
    }

    /// <summary>The client answered a response of this kind.</summary>
    /// <returns>What that response carried, or <see langword="null"/> when the nonce is not that of an unanswered response.</returns>
    public UnansweredResponse? Answer(long nonce)
    {
        if (nonce <= _lastAnswered || nonce > _lastSent)
        {
            return null;
        }

        UnansweredResponse? answered = null;
        while (_unanswered.TryPeek(out var next) && next.Nonce <= nonce)
        {
            answered = _unanswered.Dequeue();
            SettledEpoch = Math.Max(SettledEpoch, answered.Epoch);
        }

        if (answered?.Nonce != nonce)
        {
            return null;
        }

        _lastAnswered = nonce;
        return answered;
    }

    public void Acknowledge(string version, DateTimeOffset now) => (AckedVersion, NackedVersion, LastAcked) = (version, "", now);

    public void Refuse(string version, DateTimeOffset now) => (NackedVersion, LastNacked) = (version, now);

    public bool IsLast(long nonce) => nonce == _lastSent;

    public static bool TryParse(string nonce, out long number) =>
        long.TryParse(nonce, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    public static string Format(long nonce) => nonce.ToString(CultureInfo.InvariantCulture);
}
